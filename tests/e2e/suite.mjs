// suite.mjs: what the JavaScript suites share: the stack that $SLUICE_STACK describes, its admin API, and the simulator's truth.
import { File } from 'node:buffer';

globalThis.File ??= File; // Node 18 has it, but not as a global, and the SDKs ask for it

export const stack = JSON.parse(process.env.SLUICE_STACK);
export const baseURL = `${stack.gateway_url}/v1`;
export const provider = `@${stack.provider.slug}`;

/** One admin call with the organisation's key; throws unless 200. Changes are applied at the node when it returns. */
export async function admin(method, path, body) {
  const wait = method === 'GET' ? '' : `${path.includes('?') ? '&' : '?'}wait=applied`;
  const reply = await fetch(`${stack.control_url}/v1${path}${wait}`, {
    method,
    headers: { 'content-type': 'application/json', 'x-portkey-api-key': stack.org_admin_key },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await reply.text();
  if (reply.status !== 200) throw new Error(`${method} ${path}: ${reply.status} ${text}`);
  return JSON.parse(text);
}

export const sim = {
  reset: () => fetch(`${stack.sim_url}/__sim/reset`, { method: 'POST' }),
  /** All requests since the last reset, oldest first. */
  records: async () => (await fetch(`${stack.sim_url}/__sim/requests`)).json(),
  last: async () => (await (await fetch(`${stack.sim_url}/__sim/last?n=1`)).json())[0],
};

export async function collect(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}

/** The first true answer of check(); throws naming `what` if there is none in 20 s. */
export async function waitFor(what, check) {
  for (const end = Date.now() + 20_000; ; ) {
    const answer = await check();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`20 s without: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** An integration of that type at the simulator, with a provider in the workspace. Gives "@slug". */
export async function integrate(slug, type, more = {}) {
  await admin('POST', '/integrations', { name: slug, slug, ai_provider_id: type, key: `sk-upstream-${slug}`,
    configurations: { custom_host: `${stack.sim_url}/v1` }, ...more });
  await admin('PUT', `/integrations/${slug}/workspaces`, { workspaces: [{ id: stack.workspace.id, enabled: true }] });
  return `@${slug}`;
}

/** What the provider received: the request's truth record, with its body read. Fails if a key of ours went with it. */
export async function received() {
  const record = await waitFor('a request at the simulator', sim.last);
  if (JSON.stringify(record.headers).includes('slk_')) throw new Error('a key of ours went upstream');
  return { ...record, json: JSON.parse(record.body) };
}

/** The error that a promise ends with; throws if it does not. */
export async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

/** Pictures and documents as small as they can be. */
export const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg==';
export const pdf = Buffer.from('%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n').toString('base64');
