// govern.mjs: what an administrator does after the first day, each in the browser and looked at from outside.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { close, open, settle, shoot, shut, signIn, visit } from './browser.mjs';
import { admin, baseURL, provider, stack, waitFor } from './suite.mjs';

const MODEL = `${provider}/gpt-4o-mini`;

before(() => admin('PUT', `/integrations/${stack.provider.slug}`, { name: 'Simulated' }));
after(shut);

/** One call of the gateway; gives its status. */
async function ask(key, headers = {}) {
  const reply = await fetch(`${baseURL}/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      ...headers,
    },
    body: JSON.stringify({
      model: MODEL,
      messages: [{ role: 'user', content: 'x' }],
    }),
  });
  await reply.arrayBuffer();
  return reply.status;
}

/** The text that a dialog shows once, which then goes. */
async function takeKey(page) {
  const text = await page.getByRole('region', { name: 'The new key' }).innerText();
  await page.getByRole('button', { name: 'I have it' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  return text.trim();
}

test('a key is made with a budget, shown once, used up, rotated and deleted', async () => {
  const page = await open();
  await signIn(page, stack.org_admin_key);
  await visit(page, '/w/default/keys');
  await page.getByRole('link', { name: 'Create key' }).click();
  await page.getByRole('button', { name: 'Create key' }).click();
  await page.getByText('choose at least one').waitFor();
  await shoot(page, 'key-refused');
  await page.getByLabel('Name', { exact: true }).fill('Nightly report');
  await page.getByText('Call models').click();
  await page.getByRole('button', { name: 'Add budget' }).click();
  await page.getByRole('button', { name: /Limit on/ }).click();
  await page.getByRole('option', { name: 'Requests' }).click();
  await page.getByLabel('At most').fill('2');
  await page.getByRole('button', { name: 'Create key' }).click();
  await page.getByText('Copy it now.').waitFor();
  await shoot(page, 'key-shown');
  const text = await takeKey(page);
  await page.getByRole('link', { name: 'Nightly report' }).waitFor();
  assert.ok(!(await page.content()).includes(text));

  const { data } = await admin('GET', `/api-keys?workspace_id=${stack.workspace.id}`);
  const made = data.find((one) => one.name === 'Nightly report');
  assert.deepEqual(made.scopes, ['completions.write', 'models.list']);
  assert.equal(made.usage_limits.credit_limit, 2);
  await waitFor('the key at the gateway', async () => (await ask(text)) === 200);
  await waitFor('the end of the budget', async () => (await ask(text)) === 412);

  // The page tells it, too.
  await waitFor('the usage in the books', async () => (await admin('GET', `/api-keys/${made.id}`)).status === 'exhausted');
  await visit(page, `/w/default/keys/${made.id}`);
  await page.getByText('2 of 2').waitFor();
  await page.getByText('0 left').waitFor();
  await shoot(page, 'key-exhausted');
  await page.getByRole('button', { name: 'Reset usage' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Reset usage' }).click();
  await page.getByText('0 of 2').waitFor();
  await waitFor('a budget that began anew', async () => (await ask(text)) === 200);

  await page.getByRole('button', { name: 'Rotate' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
  await page.getByText('The old one works until').waitFor();
  const next = await takeKey(page);
  assert.notEqual(next, text);
  await waitFor('the rotated key at the gateway', async () => (await ask(next)) !== 401);

  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByLabel('Type Nightly report').fill('Nightly report');
  await page.getByRole('button', { name: 'Delete key' }).click();
  await page.waitForURL(/\/keys$/);
  await settle(page);
  assert.equal(await page.getByRole('link', { name: 'Nightly report' }).count(), 0);
  await waitFor('the end of the key', async () => (await ask(next)) === 401);
  await close(page);
});

test('a key that may only list models is offered no other page', async () => {
  const { key } = await admin('POST', '/api-keys/workspace/service', {
    name: 'looks',
    workspace_id: stack.workspace.id,
    scopes: ['models.list'],
  });
  const page = await open();
  await signIn(page, key);
  await settle(page);
  assert.equal(await page.getByRole('link', { name: 'API keys' }).count(), 0);
  await visit(page, '/w/-/keys');
  await page.getByRole('heading', { name: 'You may not see this' }).waitFor();
  await close(page);
});

test('a workspace is made, gets a budget and a member, and goes', async () => {
  const page = await open();
  await signIn(page, stack.org_admin_key);
  await visit(page, '/workspaces');
  await page.getByRole('button', { name: 'Create workspace' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Red team');
  await dialog.getByLabel('Slug').fill(stack.workspace.slug);
  await dialog.getByRole('button', { name: 'Create workspace' }).click();
  await dialog.getByText('already exists').waitFor();
  await dialog.getByLabel('Slug').fill('ws-red');
  await dialog.getByRole('button', { name: 'Create workspace' }).click();
  await page.getByRole('heading', { name: 'Red team' }).waitFor();
  await settle(page);
  await page.getByRole('button', { name: 'Add budget' }).click();
  await page.getByLabel('At most').fill('10');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('$10 left').waitFor();
  assert.deepEqual((await admin('GET', '/admin/workspaces/ws-red')).usage_limits, [{ type: 'cost', credit_limit: 10, periodic_reset: 'monthly' }]);

  await page.getByRole('link', { name: 'Members' }).click();
  await page.getByText('Nobody is in this workspace yet').waitFor();
  await page.getByRole('button', { name: 'Add member' }).first().click();
  await dialog.getByLabel('E-mail').fill('nobody@example.org');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await dialog.getByText('is not a user of this organisation').waitFor();
  const [user] = (await admin('GET', '/admin/users')).data;
  await dialog.getByLabel('E-mail').fill(user.email);
  await page.getByRole('option', { name: user.email }).click();
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('table', { name: 'Members' }).getByText(user.email).waitFor();
  await page.getByRole('button', { name: /^Remove / }).click();
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await page.getByText('Nobody is in this workspace yet').waitFor();

  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await dialog.getByLabel('Type Red team').fill('Red team');
  await dialog.getByRole('button', { name: 'Delete workspace' }).click();
  await page.waitForURL(/\/workspaces$/);
  await settle(page);
  assert.equal(await page.getByRole('link', { name: 'Red team' }).count(), 0);
  await close(page);
});

test('a config is refused at its line, saved with a warning, drawn, used and brought back', async () => {
  const page = await open();
  await signIn(page, stack.org_admin_key);
  await visit(page, '/w/default/configs/new');
  await page.getByLabel('Name').fill('Two ways');
  await page.getByText('if that fails').waitFor();
  const editor = page.getByLabel('Document');
  const good = {
    strategy: { mode: 'loadbalance' },
    targets: [
      { override_params: { model: MODEL }, weight: 3 },
      { override_params: { model: MODEL }, weight: 1 },
    ],
  };
  await editor.fill(
    JSON.stringify(
      {
        ...good,
        targets: [{ ...good.targets[0], weight: 'much' }, good.targets[1]],
      },
      null,
      2,
    ),
  );
  await page.getByRole('button', { name: 'Create config' }).click();
  await page.getByText('must be a number from 0 to 1000000').waitFor();
  await page.getByRole('button', { name: /Go to line/ }).click();
  assert.equal(await editor.evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd)), '"weight": "much"');
  await shoot(page, 'config-refused');
  await editor.fill(JSON.stringify({ ...good, telepathy: true }, null, 2));
  await page.getByText('75 %').waitFor();
  await page.getByRole('button', { name: 'Create config' }).click();
  await page.getByRole('heading', { name: 'Two ways' }).waitFor();
  await page.getByText(/telepathy.*not used/).waitFor();
  await shoot(page, 'config-warned');

  const [row] = (await admin('GET', `/configs?workspace_id=${stack.workspace.id}`)).data.filter((one) => one.name === 'Two ways');
  await editor.fill(JSON.stringify({ override_params: { model: MODEL } }));
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await waitFor('the second version', async () => (await page.getByRole('table', { name: 'Versions' }).getByRole('row').count()) === 3);
  assert.equal(await page.getByText(/telepathy.*not used/).count(), 0);
  await waitFor('an answer by the config', async () => (await ask(stack.workspace_key, { 'x-portkey-config': row.slug })) === 200);
  await page.getByRole('button', { name: 'Into the editor' }).click();
  assert.match(await editor.inputValue(), /telepathy/);
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByLabel(`Type ${row.slug}`).fill(row.slug);
  await page.getByRole('button', { name: 'Delete config' }).click();
  await page.waitForURL(/\/configs$/);
  await close(page);
});

test('usage is seen as it grows, by what and by whom, and taken along', async () => {
  const page = await open();
  await signIn(page, stack.org_admin_key);
  await visit(page, '/w/default/usage?show=requests&by=key');
  const tile = page.locator('dl').filter({ hasText: 'Requests' });
  const before = (await admin('GET', `/usage?workspace_id=${stack.workspace.id}`)).totals.requests;
  assert.equal(await ask(stack.workspace_key), 200);
  await waitFor('the request in the books', async () => (await admin('GET', `/usage?workspace_id=${stack.workspace.id}`)).totals.requests > before);
  await tile.getByText(String(before + 1), { exact: true }).waitFor(); // by itself
  await page.getByRole('img', { name: /Requests by day/ }).waitFor();
  await page.getByRole('table', { name: 'Usage by API key' }).getByText('Workspace key').waitFor();
  const row = (await admin('GET', `/usage?group_by=model&workspace_id=${stack.workspace.id}`)).data[0];
  await page.getByRole('button', { name: /^.*By/ }).click();
  await page.getByRole('option', { name: 'Model' }).click();
  await page.getByRole('table', { name: 'Usage by Model' }).getByText(row.model, { exact: true }).waitFor();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download CSV' }).click();
  const lines = readFileSync(await (await download).path(), 'utf8')
    .trim()
    .split('\n');
  assert.ok(lines.length > before, 'a head and a line for every request');
  await close(page);
});

test('data planes tell how they are doing', async () => {
  const page = await open();
  await signIn(page, stack.org_admin_key);
  await visit(page, '/data-planes');
  const row = page.getByRole('row').filter({ hasText: 'quickstart' });
  await row.getByText('connected').waitFor();
  const workspace = await admin('POST', '/admin/workspaces', { name: 'Moves the revision' });
  const { revision } = await admin('GET', '/data-planes');
  await row.getByText(revision.toLocaleString('en-US'), { exact: true }).waitFor(); // by itself
  await admin('DELETE', `/admin/workspaces/${workspace.id}`, { name: 'Moves the revision' });
  await close(page);
});

test('an auditor finds who changed what', async () => {
  const { id } = await admin('POST', '/api-keys/workspace/service', { name: 'audited', workspace_id: stack.workspace.id, scopes: ['models.list'] });
  const page = await open();
  await signIn(page, stack.org_admin_key);
  await visit(page, '/audit-log');
  await page.getByRole('button', { name: /^all Of/ }).click();
  await page.getByRole('option', { name: 'api key' }).click();
  const row = page.getByRole('row').filter({ hasText: 'create api key' }).first();
  await row.getByText('audited').waitFor();
  await row.getByRole('button', { name: 'Details' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('POST /v1/api-keys/workspace/service').waitFor();
  assert.match(await dialog.getByRole('region', { name: 'What was sent' }).innerText(), /"name": "audited"/);
  await shoot(page, 'audit-details');
  await close(page);
  await admin('DELETE', `/api-keys/${id}`);
});
