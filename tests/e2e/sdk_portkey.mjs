// sdk_portkey.mjs: the portkey-ai SDK against one base URL: model calls are answered by the gateway, admin calls relayed to the control plane.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';

import { Portkey, createHeaders } from 'portkey-ai';

import { admin, baseURL, collect, provider, sim, stack, waitFor } from './suite.mjs';

const hello = [{ role: 'user', content: 'Hello!' }];
const chat = (options, model = 'gpt-4o', more = {}) =>
  new Portkey({ apiKey: stack.workspace_key, baseURL, maxRetries: 0, ...options }).chat.completions.create({ model, messages: hello, ...more });

async function received(model = 'gpt-4o') {
  const record = await waitFor('a request at the simulator', sim.last);
  assert.equal(record.model, model);
  assert.ok(!JSON.stringify(record.headers).includes('slk_'), 'a key of ours went upstream');
  assert.deepEqual(Object.keys(record.headers).filter((name) => name.startsWith('x-portkey')), []);
}

describe('model calls', () => {
  beforeEach(() => sim.reset());

  const single = { strategy: { mode: 'single' } };
  const ways = {
    'model prefix': [{}, `${provider}/gpt-4o`],
    'provider with @': [{ provider }],
    'provider as a plain slug': [{ provider: stack.provider.slug }],
    'virtualKey': [{ virtualKey: stack.provider.slug }],
    'config: model in override_params': [{ config: { ...single, targets: [{ override_params: { model: `${provider}/gpt-4o` } }] } }, 'gpt-4'],
    'config: provider in target': [{ config: { ...single, targets: [{ provider, override_params: { model: 'gpt-4o' } }] } }, 'gpt-4'],
    'config: virtual_key in target': [{ config: { ...single, targets: [{ virtual_key: stack.provider.slug }] } }],
    'config: without targets': [{ config: { provider } }],
    'config: as text': [{ config: JSON.stringify({ virtual_key: stack.provider.slug }) }],
  };
  for (const [name, [options, model]] of Object.entries(ways)) {
    test(name, async () => {
      const reply = await chat(options, model);
      assert.equal(reply.choices[0].message.content, 'You said: Hello!');
      const headers = reply.getHeaders();
      assert.ok(headers['trace-id'].length > 0);
      assert.equal(headers.provider, 'openai');
      await received();
    });
  }

  test('override_params reach the provider', async () => {
    await chat({ config: { provider, override_params: { model: 'gpt-4o-mini', temperature: 0.25, max_tokens: 3 } } }, 'gpt-4o', { temperature: 1 });
    const { body } = await waitFor('a request', sim.last);
    assert.deepEqual(JSON.parse(body), { model: 'gpt-4o-mini', messages: hello, temperature: 0.25, max_tokens: 3 });
  });

  test('a trace id comes back', async () => {
    const reply = await chat({ provider, traceID: 'trace-of-mine', metadata: { _user: 'e2e' } });
    assert.equal(reply.getHeaders()['trace-id'], 'trace-of-mine');
  });

  test('stream', async () => {
    const chunks = await collect(await chat({ provider }, 'gpt-4o', { stream: true }));
    assert.equal(chunks.map((c) => c.choices[0]?.delta?.content ?? '').join(''), 'You said: Hello!');
    assert.ok(chunks.every((c) => !c.usage));
  });

  test('other endpoints', async () => {
    const client = new Portkey({ apiKey: stack.workspace_key, baseURL, provider });
    assert.equal((await client.embeddings.create({ model: 'text-embedding-3-small', input: 'x' })).data.length, 1);
    assert.ok((await client.images.generate({ model: 'dall-e-3', prompt: 'x' })).data.length > 0);
    assert.ok((await client.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'Say' })).choices[0].text);
    const made = await client.responses.create({ model: 'gpt-4o', input: 'Hello!' });
    assert.equal((await client.responses.retrieve(made.id)).id, made.id);
    assert.ok((await client.files.list()).data.length >= 0);
    const models = await new Portkey({ apiKey: stack.workspace_key, baseURL }).models.list();
    assert.ok(models.data.some((m) => m.id === `${provider}/gpt-4o`));
  });

  test('createHeaders alone is enough', async () => {
    const reply = await fetch(`${baseURL}/chat/completions`, {
      method: 'POST', body: JSON.stringify({ model: 'gpt-4o', messages: hello }),
      headers: { 'content-type': 'application/json', ...createHeaders({ apiKey: stack.workspace_key, provider }) } });
    assert.equal(reply.status, 200);
    await received();
  });

  test('a refusal has its status and its sentence', async () => {
    const fault = await chat({ provider: '@no-such-provider' }).catch((e) => e);
    assert.equal(fault.status, 404);
    assert.match(fault.message, /no-such-provider/);
    assert.deepEqual(await sim.records(), []);
  });
});

for (const [where, url] of [['gateway', baseURL], ['control plane', `${stack.control_url}/v1`]]) {
  describe(`admin methods at the ${where}`, () => {
    const client = new Portkey({ apiKey: stack.org_admin_key, baseURL: url, maxRetries: 0 });
    const tag = where === 'gateway' ? 'gw' : 'cp';
    const made = {};

    test('workspaces', async () => {
      const workspace = await client.admin.workspaces.create({ name: `Team ${tag}`, description: 'of the suite' });
      assert.match(workspace.id, /^[0-9a-f-]{36}$/);
      made.workspace = workspace.id;
      assert.equal((await client.admin.workspaces.retrieve({ workspaceId: workspace.slug })).id, workspace.id);
      await client.admin.workspaces.update({ workspaceId: workspace.id, name: `Team ${tag} 2` });
      assert.equal((await client.admin.workspaces.retrieve({ workspaceId: workspace.id })).name, `Team ${tag} 2`);
      const list = await client.admin.workspaces.list({});
      assert.ok(list.data.some((w) => w.id === workspace.id) && list.total === list.data.length);
    });

    test('integrations', async () => {
      const slug = `team-${tag}`;
      const { id } = await client.integrations.create({
        name: slug, slug, ai_provider_id: 'openai', key: 'sk-team', configurations: { custom_host: `${stack.sim_url}/v1` } });
      const found = await client.integrations.retrieve({ slug });
      assert.deepEqual([found.id, found.type, found.key], [id, 'organisation', undefined]);
      assert.ok(!JSON.stringify(found).includes('sk-team'), 'the credential came back');
      await client.integrations.update({ slug, name: 'Renamed' });
      assert.ok((await client.integrations.list({})).data.some((i) => i.slug === slug && i.name === 'Renamed'));
      await client.integrations.models.update({ slug, models: [{ slug: 'gpt-4o', enabled: true }], allow_all_models: false });
      const models = await client.integrations.models.list({ slug });
      assert.equal(models.allow_all_models, false);
      await client.integrations.workspaces.update({ slug, workspaces: [{ id: made.workspace, enabled: true }] });
      const rows = await client.integrations.workspaces.list({ slug });
      assert.ok(rows.workspaces.some((w) => w.enabled));
      made.integration = slug;
    });

    test('providers', async () => {
      const inherited = await client.providers.list({ workspace_id: made.workspace });
      assert.deepEqual(inherited.data.map((p) => p.slug), [made.integration]);
      const { slug } = await client.providers.create({ name: 'Second', integration_id: made.integration, workspace_id: made.workspace });
      assert.equal((await client.providers.retrieve({ slug, workspace_id: made.workspace })).name, 'Second');
      await client.providers.update({ slug, workspace_id: made.workspace, name: 'Third' });
      await client.providers.delete({ slug, workspace_id: made.workspace });
      assert.equal((await client.providers.list({ workspace_id: made.workspace })).data.length, 1);
    });

    test('apiKeys: one made here calls a model', async () => {
      const { id, key } = await client.apiKeys.create({
        type: 'workspace', 'sub-type': 'service', name: `key ${tag}`, workspace_id: made.workspace, scopes: ['completions.write'] });
      assert.match(key, /^slk_/);
      made.key = { id, key };
      const call = () => chat({ apiKey: key }, `@${made.integration}/gpt-4o`);
      await waitFor('the key at the gateway', async () => (await call().catch((e) => e)).choices);
      assert.equal((await client.apiKeys.retrieve({ id })).name, `key ${tag}`);
      await client.apiKeys.update({ id, description: 'changed' });
      const list = await client.apiKeys.list({ workspace_id: made.workspace });
      assert.ok(list.data.some((k) => k.id === id && k.description === 'changed'));
      assert.ok(!JSON.stringify(list).includes(key), 'a list showed a key');
      await client.apiKeys.delete({ id });
      await waitFor('the end of the key', async () => (await call().catch((e) => e)).status === 401);
    });

    test('configs', async () => {
      const { slug } = await client.configs.create({
        name: `config ${tag}`, config: { provider: `@${made.integration}` }, workspace_id: made.workspace });
      const found = await client.configs.retrieve({ slug });
      const config = typeof found.config === 'string' ? JSON.parse(found.config) : found.config;
      assert.deepEqual(config, { provider: `@${made.integration}` });
      const { version_id: version } = await client.configs.update({ slug, config: { virtual_key: made.integration } });
      assert.ok(version);
      assert.ok((await client.configs.list({ workspace_id: made.workspace })).data.some((c) => c.slug === slug));
      await client.configs.delete({ slug });
    });

    test('virtualKeys', async () => {
      await admin('PUT', '/admin/organisation', { workspace_integrations: 'admins' });
      const { slug } = await client.virtualKeys.create({
        name: `vk ${tag}`, provider: 'openai', key: 'sk-virtual', workspace_id: made.workspace });
      assert.ok((await client.virtualKeys.list({ workspace_id: made.workspace })).data.some((v) => v.slug === slug));
      assert.ok(!JSON.stringify(await client.virtualKeys.retrieve({ slug, workspace_id: made.workspace })).includes('sk-virtual'));
      await client.virtualKeys.delete({ slug, workspace_id: made.workspace });
    });

    test('errors', async () => {
      const missing = await client.integrations.retrieve({ slug: 'none-such' }).catch((e) => e);
      assert.equal(missing.status, 404);
      const weak = new Portkey({ apiKey: stack.workspace_key, baseURL: url, maxRetries: 0 });
      assert.equal((await weak.admin.workspaces.create({ name: 'Mine' }).catch((e) => e)).status, 403);
      const stranger = new Portkey({ apiKey: 'slk_unknown', baseURL: url, maxRetries: 0 });
      assert.equal((await stranger.integrations.list({}).catch((e) => e)).status, 401);
    });

    test('taking it all away again', async () => {
      await client.integrations.delete({ slug: made.integration });
      await admin('DELETE', `/admin/workspaces/${made.workspace}`, { name: `Team ${tag} 2`, force_delete: true });
      assert.equal((await client.admin.workspaces.retrieve({ workspaceId: made.workspace }).catch((e) => e)).status, 404);
    });
  });
}
