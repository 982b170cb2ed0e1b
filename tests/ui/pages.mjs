// pages.mjs: every page, as each role sees it, light and dark, on a desk and on a phone. axe finds no violation of level A or AA, the page
// policy holds, nothing is asked of another host (browser.mjs), and nothing scrolls sideways. Then how the files are served.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';

import { base, checkGuard, close, open, settle, shoot, shut, signIn, visit } from './browser.mjs';
import { admin, baseURL, provider, stack, waitFor } from './suite.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FIRST_LOAD_MAX = 300 * 1024;
const WANTED = new RegExp(process.env.SLUICE_PAGES ?? ''); // some of the pages, by name: while one is being made
const LEVELS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

let workspace, key;

before(async () => {
  workspace = await admin('POST', '/admin/workspaces', { name: 'Research', icon: '🔬' });
  for (const name of ['Marketing', 'Support bots', 'Data platform']) await admin('POST', '/admin/workspaces', { name });
  await admin('POST', '/integrations', {
    name: 'OpenAI production',
    slug: 'openai-prod',
    ai_provider_id: 'openai',
    key: 'sk-pages-0000000000000001',
    configurations: { custom_host: `${stack.sim_url}/v1`, openai_organization: 'org-acme' },
  });
  await admin('PUT', '/integrations/openai-prod/workspaces', {
    workspaces: [
      {
        id: workspace.id,
        enabled: true,
        usage_limits: [{ type: 'cost', credit_limit: 1000, periodic_reset: 'monthly' }],
        rate_limits: [{ type: 'requests', unit: 'rpm', value: 600 }],
      },
    ],
  });
  await admin('POST', '/integrations', {
    name: 'Azure east',
    slug: 'azure-east',
    ai_provider_id: 'azure-openai',
    key: 'azure-pages-000000000001',
    configurations: {
      azure_auth_mode: 'default',
      azure_resource_name: 'acme-east',
      azure_deployment_config: [
        { alias: 'fast', azure_deployment_name: 'gpt-4o-mini', azure_api_version: '2024-10-21', azure_model_slug: 'gpt-4o-mini', is_default: true },
        { alias: 'best', azure_deployment_name: 'gpt-4o', azure_api_version: '2024-10-21', azure_model_slug: 'gpt-4o' },
      ],
    },
  });
  await admin('POST', '/integrations', {
    name: 'Bots’ own Groq',
    slug: 'bots-groq',
    ai_provider_id: 'groq',
    key: 'gsk-pages-0000000000000001',
    workspace_id: workspace.id,
  });
  await admin('POST', '/admin/workspaces', { name: 'Nothing yet', slug: 'ws-empty' });
  await admin('PUT', `/admin/workspaces/${workspace.id}`, {
    description: 'Finds out what the next product can do',
    usage_limits: [{ type: 'cost', credit_limit: 2000, periodic_reset: 'monthly' }],
  });
  const [user] = (await admin('GET', '/admin/users')).data;
  await admin('POST', `/admin/workspaces/${workspace.id}/users`, { users: [{ id: user.id, role: 'member' }] });
  await admin('POST', '/configs', {
    name: 'Support bot',
    slug: 'pc-support',
    workspace_id: workspace.id,
    is_default: true,
    config: {
      strategy: { mode: 'conditional', conditions: [{ query: { 'metadata.plan': { $eq: 'paid' } }, then: 'paid' }], default: 'free' },
      retry: { attempts: 2 },
      targets: [
        {
          name: 'paid',
          strategy: { mode: 'fallback', on_status_codes: [429, 503] },
          targets: [{ override_params: { model: '@openai-prod/gpt-4o' } }, { override_params: { model: '@azure-east/best' } }],
        },
        { name: 'free', override_params: { model: '@openai-prod/gpt-4o-mini' } },
      ],
    },
  });
  for (const model of ['gpt-4o', 'gpt-4o', 'gpt-4o-mini']) {
    const reply = await fetch(`${baseURL}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stack.workspace_key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: `${provider}/${model}`, messages: [{ role: 'user', content: 'How do sluices work?' }] }),
    });
    assert.equal(reply.status, 200);
  }
  await waitFor('the usage in the books', async () => (await admin('GET', '/usage?group_by=model')).totals.requests >= 3);
  key = await admin('POST', '/api-keys/workspace/service', {
    name: 'Chat application',
    description: 'The web chat in production',
    workspace_id: workspace.id,
    scopes: ['completions.write', 'models.list'],
    usage_limits: { type: 'cost', credit_limit: 250, alert_threshold: 200, periodic_reset: 'monthly' },
    rate_limits: [{ type: 'requests', unit: 'rpm', value: 120 }],
  });
});

after(shut);

// name, path, and who: what each role sees of it. `do` opens what is behind a press.
const ADMIN = [
  ['integrations', '/integrations'],
  ['integrations-search', '/integrations?q=zzz'],
  ['integrations-connected', '/integrations?tab=connected'],
  ['integrations-workspaces', '/integrations?tab=workspaces'],
  ['connect-openai', '/integrations/connect/openai'],
  ['connect-azure', '/integrations/connect/azure-openai'],
  ['connect-bedrock', '/integrations/connect/bedrock'],
  ['connect-vertex', '/integrations/connect/vertex-ai'],
  ['connect-self-hosted', '/integrations/connect/openai?self=yes'],
  ['integration', '/integrations/openai-prod'],
  ['integration-azure', '/integrations/azure-east'],
  ['integration-workspaces', '/integrations/openai-prod?tab=workspaces'],
  ['integration-models', '/integrations/openai-prod?tab=models'],
  ['step-workspaces', '/integrations/azure-east?step=workspaces'],
  ['step-models', '/integrations/azure-east?step=models'],
  ['integration-missing', '/integrations/nobody'],
  ['providers', () => `/w/${workspace.slug}/providers`],
  ['provider', () => `/w/${workspace.slug}/providers/openai-prod`],
  ['provider-new', () => `/w/${workspace.slug}/providers/new`],
  ['models', () => `/w/${workspace.slug}/models`],
  ['models-search', () => `/w/${workspace.slug}/models?q=zzz`],
  ['models-empty', '/w/ws-empty/models'],
  ['model', () => `/w/${workspace.slug}/models/@openai-prod/gpt-4o`],
  ['model-missing', () => `/w/${workspace.slug}/models/@openai-prod/none`],
  ['playground-empty', () => `/w/${workspace.slug}/playground`],
  ['playground', () => `/w/${workspace.slug}/playground?models=@openai-prod/gpt-4o,%20@openai-prod/gpt-4o-mini`],
  ['keys', '/w/default/keys'],
  ['keys-empty', '/w/ws-empty/keys'],
  ['keys-search', '/w/default/keys?q=zzz'],
  ['key', () => `/w/${workspace.slug}/keys/${key.id}`],
  ['key-new', () => `/w/${workspace.slug}/keys/new`],
  ['key-scopes', () => `/w/${workspace.slug}/keys/new`, async (page) => {
    await page.getByText('Scope by scope').click();
    await page.getByText('Model calls').waitFor();
  }],
  ['key-rotate', () => `/w/${workspace.slug}/keys/${key.id}`, async (page) => {
    await page.getByRole('button', { name: 'Rotate' }).click();
    await page.getByRole('dialog').waitFor();
  }],
  ['organisation-keys', '/keys'],
  ['organisation-key-new', '/keys/new'],
  ['workspaces', '/workspaces'],
  ['workspace-new', '/workspaces', async (page) => {
    await page.getByRole('button', { name: 'Create workspace' }).click();
    await page.getByRole('dialog').waitFor();
  }],
  ['workspace-settings', () => `/w/${workspace.slug}/settings`],
  ['members', () => `/w/${workspace.slug}/members`],
  ['members-empty', '/w/ws-empty/members'],
  ['member-new', '/w/ws-empty/members', async (page) => {
    await page.getByRole('button', { name: 'Add member' }).first().click();
    await page.getByRole('dialog').waitFor();
  }],
  ['configs', () => `/w/${workspace.slug}/configs`],
  ['configs-empty', '/w/ws-empty/configs'],
  ['config-new', () => `/w/${workspace.slug}/configs/new`],
  ['config', () => `/w/${workspace.slug}/configs/pc-support`],
  ['usage', '/usage'],
  ['usage-hours', '/usage?range=24h&show=tokens&by=key'],
  ['usage-workspace', '/w/default/usage'],
  ['usage-empty', '/w/ws-empty/usage'],
  ['data-planes', '/data-planes'],
  ['audit-log', '/audit-log'],
  ['audit-search', '/audit-log?type=user&action=delete'],
  ['audit-details', '/audit-log', async (page) => {
    await page.getByRole('button', { name: 'Details' }).first().click();
    await page.getByRole('dialog').waitFor();
  }],
  ['design', '/design'],
  ['no-workspace', '/w/nobody/models'],
  ['no-page', '/nowhere'],
  ['palette', () => `/w/${workspace.slug}/providers`, async (page) => {
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Search' }).fill('gpt-4o');
    await page.getByRole('option').first().waitFor();
  }],
  ['switcher', '/integrations', async (page) => {
    await page.getByRole('button', { name: /Switch workspace/ }).click();
    await page.getByRole('listbox', { name: 'Workspaces' }).waitFor();
  }],
  ['limits-dialog', '/integrations/openai-prod?tab=workspaces', async (page) => {
    await page.getByRole('button', { name: 'Edit limits' }).first().click();
    await page.getByRole('dialog').waitFor();
  }],
  ['custom-model-drawer', '/integrations/openai-prod?tab=models', async (page) => {
    await page.getByRole('button', { name: 'Add model' }).click();
    await page.getByRole('dialog').waitFor();
  }],
  ['price-dialog', '/integrations/openai-prod?tab=models&q=gpt-4o-mini', async (page) => {
    await page.getByRole('button', { name: /More about/ }).first().click();
    await page.getByRole('menuitem', { name: 'Set price' }).click();
    await page.getByRole('dialog').waitFor();
  }],
];

const DEVELOPER = [
  ['developer-models', '/w/default/models'],
  ['developer-model', '/w/default/models/@openai/gpt-4o'],
  ['developer-providers', '/w/default/providers'],
  ['developer-refused', '/integrations/openai/'],
];

async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate((levels) => window.axe.run(document, { runOnly: { type: 'tag', values: levels } }), LEVELS);
  return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.target.join(' ')} ${node.failureSummary?.split('\n')[1] ?? ''}`).join(' | ')}`);
}

async function look(page, name, path, act) {
  await visit(page, typeof path === 'function' ? path() : path);
  await act?.(page);
  await shoot(page, name);
  assert.deepEqual(await violations(page), [], name);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `${name} is ${wide} px wider than the window`);
  checkGuard(page);
}

async function walk(t, view, prefix, key, rows) {
  const page = await open(view);
  await signIn(page, key);
  for (const [name, path, act] of rows.filter(([name]) => WANTED.test(name))) await t.test(`${prefix}-${name}`, () => look(page, `${prefix}-${name}`, path, act));
  await close(page);
}

const VIEWS = { light: { theme: 'light' }, dark: { theme: 'dark' }, phone: { theme: 'light', width: 390, height: 844 } };

describe('pages', { concurrency: 3 }, () => {
  for (const [prefix, view] of Object.entries(VIEWS)) {
    test(`sign-in, ${prefix}`, async () => {
      const page = await open(view);
      await look(page, `${prefix}-sign-in`, '/sign-in');
      await look(page, `${prefix}-sign-in-key`, '/sign-in', (at) => at.getByText('With a key').click());
      await look(page, `${prefix}-invite`, '/#/invite?token=nothing');
      await look(page, `${prefix}-reset`, '/#/reset?token=nothing');
      await close(page);
    });
    test(`administrator, ${prefix}`, (t) => walk(t, view, prefix, stack.org_admin_key, ADMIN.filter(([name]) => prefix !== 'phone' || name !== 'switcher')));
    test(`developer, ${prefix}`, (t) => walk(t, view, prefix, stack.workspace_key, DEVELOPER));
  }
});

test('while something loads, and when the control plane is away', async () => {
  for (const theme of ['light', 'dark']) {
    const page = await open({ theme });
    await signIn(page, stack.org_admin_key);
    let free;
    const held = new Promise((done) => (free = done));
    await page.route('**/v1/models?*', async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(`/w/${workspace.slug}/models`);
    await page.getByRole('status', { name: 'Loading' }).waitFor();
    await shoot(page, `${theme}-loading`);
    assert.deepEqual(await violations(page), []);
    free();
    await settle(page);
    await page.route('**/v1/providers?*', (route) => route.abort());
    await page.goto(`/w/${workspace.slug}/providers`);
    await page.getByRole('heading', { name: 'The control plane does not answer' }).waitFor();
    await shoot(page, `${theme}-away`);
    assert.deepEqual(await violations(page), []);
    await page.unroute('**/v1/providers?*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('table', { name: 'AI providers' }).waitFor();
    page.faults = page.faults.filter((fault) => !fault.includes('net::ERR_FAILED'));
    await close(page);
  }
});

test('the keyboard alone is enough', async () => {
  const page = await open();
  await signIn(page, stack.org_admin_key);
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Search' }).fill('openai production');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'OpenAI production' }).waitFor();
  await page.goto(`/w/${workspace.slug}/models`);
  await settle(page);
  await page.keyboard.press('/');
  await page.keyboard.type('gpt-4o');
  await page.getByRole('searchbox').blur();
  for (const key of ['j', 'j', 'k', 'j']) {
    await page.keyboard.press(key);
    await page.waitForTimeout(60);
  }
  assert.equal(await page.evaluate(() => document.activeElement?.closest('[data-row]')?.dataset.row), '1');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Call it' }).waitFor();
  await close(page);
});

test('ten thousand rows: only those near the window exist, and the last is reached', async () => {
  const page = await open();
  await signIn(page, stack.org_admin_key);
  const rows = Array.from({ length: 10_000 }, (_, i) => ({ id: `@many/m-${i}`, slug: `m-${i}`, canonical_slug: `m-${i}`, object: 'model', created: 0, owned_by: 'openai' }));
  await page.route('**/v1/models?*', (route) => route.fulfill({ json: { object: 'list', total: rows.length, data: rows } }));
  await visit(page, `/w/${workspace.slug}/models?sort=model`);
  assert.equal(await page.getByRole('table').getAttribute('aria-rowcount'), '10001');
  assert.ok((await page.getByRole('row').count()) < 80);
  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
  await page.getByRole('link', { name: 'm-9999', exact: true }).waitFor();
  assert.ok((await page.getByRole('row').count()) < 80);
  await close(page);
});

test('the theme is switched, and stays', async () => {
  const page = await open({ theme: 'light' });
  await signIn(page, stack.org_admin_key);
  const canvas = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await canvas();
  await page.getByRole('button', { name: 'Theme: as the system' }).click();
  await page.getByRole('button', { name: 'Theme: light' }).click();
  assert.notEqual(await canvas(), light);
  const dark = await canvas();
  await page.reload();
  assert.equal(await canvas(), dark);
  await close(page);
});

describe('files', () => {
  const get = (path, headers = {}) => fetch(base + path, { headers: { 'accept-encoding': 'br', ...headers } });

  test('pages are checked each time, assets are kept for ever, and both come with the policy', async () => {
    const page = await get('/');
    const html = await page.text();
    assert.equal(page.headers.get('cache-control'), 'no-cache');
    const policy = page.headers.get('content-security-policy');
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.doesNotMatch(html, /<style|style=|<script>|onclick=/);
    for (const [, path] of html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
      const asset = await get(path);
      assert.equal(asset.status, 200, path);
      assert.equal(asset.headers.get('cache-control'), 'public, max-age=31536000, immutable', path);
      await asset.arrayBuffer();
    }
    assert.equal((await get('/assets/none-00000000.js')).status, 404);
  });

  test('the first load is below 300 KB', async () => {
    const page = await open();
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    let bytes = 0;
    session.on('Network.loadingFinished', (event) => (bytes += event.encodedDataLength));
    await page.goto('/sign-in');
    await settle(page);
    const signedOut = bytes;
    await signIn(page, stack.workspace_key);
    await settle(page);
    const timing = await page.evaluate(() => performance.getEntriesByType('navigation')[0].domInteractive);
    console.log(`first load ${Math.round(signedOut / 1024)} KB, with the gallery of models and its data ${Math.round(bytes / 1024)} KB; interactive after ${Math.round(timing)} ms`);
    assert.ok(signedOut < FIRST_LOAD_MAX, `${signedOut} bytes`);
    await close(page);
  });
});
