// admin_sdk.mjs: portkey-ai for JavaScript against sluice-control, every admin method that the SDK has, in the order of a thing's life
// (admin_sdk.py starts it). A method that no step calls fails the suite.
import assert from 'node:assert/strict';
import { Portkey } from 'portkey-ai';

const { url, key, owner } = JSON.parse(process.env.ADMIN_SDK);
const client = new Portkey({ apiKey: key, baseURL: url, maxRetries: 0 });
const RESOURCES = ['admin', 'integrations', 'providers', 'virtualKeys', 'apiKeys', 'configs'];
const GENERIC = new Set(['post', 'get', 'put', 'delete', 'getMethod', 'postMethod', 'putMethod', 'deleteMethod']);

function* methods(path, resource, depth = 0) {
  const own = Object.getPrototypeOf(resource);
  for (const name of Object.getOwnPropertyNames(own))
    if (name !== 'constructor' && !name.startsWith('_') && typeof resource[name] === 'function') yield `${path}.${name}`;
  for (const [name, member] of Object.entries(resource))
    if (name !== 'client' && member && typeof member === 'object' && depth < 3 && Object.getPrototypeOf(member) !== Object.prototype && !GENERIC.has(name))
      yield* methods(`${path}.${name}`, member, depth + 1);
}

const called = new Set();
async function call(path, body = {}) {
  called.add(path);
  const names = path.split('.');
  const last = names.pop();
  const resource = names.reduce((at, name) => at[name], client);
  return resource[last](body);
}

async function accept(link) {
  const reply = await fetch(`${url}/console/invite`, { method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: link.split('token=')[1], password: 'the password of the suite' }) });
  return (await reply.json()).user_id;
}

const workspace = await call('admin.workspaces.create', { name: 'Team JS', description: 'd' });
const id = workspace.id;
assert.equal((await call('admin.workspaces.retrieve', { workspaceId: workspace.slug })).id, id);
await call('admin.workspaces.update', { workspaceId: id, name: 'Team JS 2' });
assert.ok((await call('admin.workspaces.list')).data.some((w) => w.name === 'Team JS 2'));

assert.ok((await call('admin.users.list', { role: 'owner', pageSize: 10, currentPage: 0 })).data.some((u) => u.id === owner));
assert.equal((await call('admin.users.retrieve', { userId: owner })).role, 'owner');
const invite = await call('admin.users.invites.create', { email: 'js@example.com', role: 'member', workspaces: [{ id: workspace.slug, role: 'member' }],
  workspace_api_key_details: { scopes: ['logs.list'] } });
assert.equal((await call('admin.users.invites.retrieve', { inviteId: invite.id })).status, 'pending');
assert.equal((await call('admin.users.invites.list', { email: 'js@example.com' })).total, 1);
const member = await accept((await call('admin.users.invites.resend', { inviteId: invite.id })).inviteLink);
await call('admin.users.invites.delete', { inviteId: invite.id });
await call('admin.users.update', { userId: member, role: 'admin' });
assert.equal((await call('admin.users.retrieve', { userId: member })).role, 'admin');
await call('admin.users.update', { userId: member, role: 'member' });
await call('admin.workspaces.users.create', { workspaceId: id, users: [{ id: member, role: 'manager' }] });
assert.equal((await call('admin.workspaces.users.retrieve', { workspaceId: id, userId: member })).role, 'manager');
await call('admin.workspaces.users.update', { workspaceId: id, userId: member, role: 'admin' });
assert.equal((await call('admin.workspaces.users.list', { workspaceId: id, role: 'admin' })).total, 1);

const slug = 'i-js';
await call('integrations.create', { name: 'OpenAI', ai_provider_id: 'openai', slug, key: 'sk-0123456789abcdef' });
assert.equal((await call('integrations.retrieve', { slug })).type, 'organisation');
await call('integrations.update', { slug, name: 'Renamed' });
assert.ok((await call('integrations.list')).data.some((i) => i.name === 'Renamed'));
await call('integrations.models.update', { slug, allow_all_models: true, models: [{ slug: 'mine:1', enabled: true, is_custom: true }] });
assert.ok((await call('integrations.models.list', { slug })).models.some((m) => m.slug === 'mine:1'));
await call('integrations.models.delete', { slug, slugs: 'mine:1' });
await call('integrations.workspaces.update', { slug, workspaces: [{ id, enabled: true }], override_existing_workspaces_access: false });
assert.equal((await call('integrations.workspaces.list', { slug })).workspaces[0].enabled, true);

const provider = await call('providers.create', { name: 'P', integration_id: slug, workspace_id: id, slug: 'p-js', usage_limits: { credit_limit: 5 } });
assert.equal((await call('providers.retrieve', { slug: provider.slug, workspace_id: id })).usage_limits.credit_limit, 5);
await call('providers.update', { slug: provider.slug, workspace_id: id, name: 'P2', usage_limits: null, reset_usage: true });
assert.equal((await call('providers.list', { workspace_id: id })).total, 2);
const virtual = await call('virtualKeys.create', { name: 'V', provider: 'azure-openai', key: 'azure-0123456789abcdef', workspace_id: id, resourceName: 'acme',
  deploymentConfig: [{ apiVersion: '2024-06-01', deploymentName: 'd1', alias: 'gpt', is_default: true }] });
assert.equal((await call('virtualKeys.retrieve', { slug: virtual.slug })).model_config.azure_deployment_config[0].azure_deployment_name, 'd1');
await call('virtualKeys.update', { slug: virtual.slug, name: 'V2' });
assert.equal((await call('virtualKeys.list', { workspace_id: id })).total, 3);

const config = await call('configs.create', { name: 'C', config: { retry: { attempts: 2 } }, workspace_id: id, isDefault: 0 });
assert.deepEqual((await call('configs.retrieve', { slug: config.slug })).config, { retry: { attempts: 2 } });
await call('configs.update', { slug: config.slug, name: 'C2', config: { retry: { attempts: 3 } } });
assert.deepEqual((await call('configs.list', { workspace_id: id })).data.map((c) => c.name), ['C2']);

const made = await call('apiKeys.create', { type: 'workspace', 'sub-type': 'user', name: 'K', workspace_id: id, user_id: member, scopes: ['completions.write'],
  defaults: { config_id: config.slug, metadata: { a: 'b' } } });
assert.equal((await call('apiKeys.retrieve', { id: made.id })).user_id, member);
await call('apiKeys.update', { id: made.id, name: 'K2', defaults: { config_id: null } });
assert.ok((await call('apiKeys.list', { workspace_id: id })).data.some((k) => k.name === 'K2'));

// analytics: those that are served; of a workspace in which nothing was asked yet, every point of the span and no amount
const span = { workspaceSlug: workspace.slug, timeOfGenerationMin: '2026-02-01T00:00:00+05:30', timeOfGenerationMax: '2026-03-01T00:00:00Z' };
for (const [name, summary] of Object.entries({ requests: { total: 0 }, cost: { total: 0, avg: 0 }, tokens: { total: 0, avg: 0 }, users: { total: 0 },
  usersRequests: { total: 0, unique: 0, avg: 0 }, errors: { total: 0 }, errors_rate: { rate: 0 }, latency: { avg: 0, p50: 0, p90: 0, p99: 0 },
  errors_stack: { total: 0 }, errors_status_code: { total_errors: 0, unique_error_codes: 0 } })) {
  const graph = await call(`analytics.graphs.${name}`, span);
  assert.deepEqual([graph.object, graph.summary], ['analytics-graph', summary], name);
  assert.equal(graph.data_points.length, name === 'errors_status_code' ? 0 : 29, name);
}
for (const name of ['users', 'aiModels', 'workspaces']) {
  const group = await call(`analytics.groups.${name}`, span);
  assert.deepEqual([group.object, group.total, group.data], ['list', 0, []], name);
}

// errors: the SDK tells what the server said, and does not repeat a refused call
await assert.rejects(call('apiKeys.retrieve', { id: '00000000-0000-7000-8000-000000000000' }), (error) => error.status === 404 && /404/.test(error.message));
await assert.rejects(call('admin.workspaces.create', {}), (error) => error.status === 400 && /name/.test(JSON.stringify(error.error)));

await call('apiKeys.delete', { id: made.id });
await call('configs.delete', { slug: config.slug });
await call('virtualKeys.delete', { slug: virtual.slug });
await call('providers.delete', { slug: provider.slug, workspace_id: id });
await call('admin.workspaces.users.delete', { workspaceId: id, userId: member });
await call('admin.users.delete', { userId: member });
await call('integrations.delete', { slug });
await call('admin.workspaces.delete', { workspaceId: id, name: 'Team JS 2' });
await assert.rejects(call('admin.workspaces.retrieve', { workspaceId: id }), (error) => error.status === 404);

const have = new Set(RESOURCES.flatMap((resource) => [...methods(resource, client[resource])]));
assert.deepEqual([...have].filter((name) => !called.has(name)), [], 'methods that no step calls');
console.log(`portkey-ai for JavaScript: ${called.size} methods`);
