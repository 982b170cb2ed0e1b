// govern.mjs: what an administrator does after the first day, each in the browser and looked at from outside.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { close, open, settle, shoot, shut, signIn, visit } from './browser.mjs';
import { admin, baseURL, provider, stack, waitFor } from './suite.mjs';

const MODEL = `${provider}/gpt-4o-mini`;

before(() => admin('PUT', `/integrations/${stack.provider.slug}`, { name: 'Simulated' }));
after(shut);

/** One call of the gateway; gives its status. */
async function ask(key) {
  const reply = await fetch(`${baseURL}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'x' }] }),
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
  const { key } = await admin('POST', '/api-keys/workspace/service', { name: 'looks', workspace_id: stack.workspace.id, scopes: ['models.list'] });
  const page = await open();
  await signIn(page, key);
  await settle(page);
  assert.equal(await page.getByRole('link', { name: 'API keys' }).count(), 0);
  await visit(page, '/w/-/keys');
  await page.getByRole('heading', { name: 'You may not see this' }).waitFor();
  await close(page);
});
