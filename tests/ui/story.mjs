// story.mjs: what the product is for, from both sides. The administrator works in the console alone; what the API and the provider say
// afterwards proves that it took.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, test } from 'node:test';
import { promisify } from 'node:util';

import { clipboard, close, open, settle, shoot, shut, signIn, visit } from './browser.mjs';
import { admin, sim, stack, waitFor } from './suite.mjs';

const run = promisify(execFile);
const SECRET = 'sk-story-first-secret-0001';
const SECOND = 'sk-story-second-secret-0002';
let workspace, developerKey;

after(shut);

test('an administrator connects a provider in three steps', async () => {
  workspace = await admin('POST', '/admin/workspaces', { name: 'Story' });
  const page = await open();
  await signIn(page, stack.org_admin_key);
  await page.getByRole('searchbox', { name: 'Search providers' }).fill('openai');
  await page.getByRole('link', { name: 'Connect OpenAI', exact: true }).click();

  // Faults are told at their fields: by the page, then by the API.
  await page.getByRole('button', { name: 'Save and go on' }).click();
  await page.getByText('is required').waitFor();
  await page.waitForFunction(() => document.activeElement?.getAttribute('type') === 'password'); // the refused field has the focus
  await page.getByLabel('Name', { exact: true }).fill('OpenAI for everybody');
  await page.getByLabel('Slug').fill('no spaces please');
  await page.getByLabel('API key').fill(SECRET);
  await page.getByRole('button', { name: 'Advanced' }).click();
  await page.getByLabel('Custom host').fill(`${stack.sim_url}/v1`);
  await page.getByRole('button', { name: 'Save and go on' }).click();
  await page.getByText('must be 1 to 255 letters').waitFor();
  await page.waitForFunction(() => document.activeElement?.value === 'no spaces please');
  await shoot(page, 'connect-refused');
  await page.getByLabel('Slug').fill('openai-prod');
  await page.getByRole('button', { name: 'Save and go on' }).click();

  await page.getByRole('switch', { name: 'Access of Story' }).click({ force: true });
  const row = page.getByRole('row').filter({ hasText: 'Story' });
  await row.getByRole('button', { name: 'Edit limits' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Add budget' }).click();
  await dialog.getByLabel('At most').fill('10');
  await shoot(page, 'connect-limits');
  await dialog.getByRole('button', { name: 'Save limits' }).click();
  await row.getByText('$10 / month').waitFor();
  await shoot(page, 'connect-workspaces');

  await page.getByRole('link', { name: 'Next: models' }).click();
  await page.getByRole('button', { name: 'Clear all' }).click();
  const search = page.getByRole('searchbox', { name: 'Search models' });
  for (const model of ['gpt-4o-mini', 'gpt-4o']) {
    await search.fill(model);
    await page.getByRole('checkbox', { name: `Enable ${model}`, exact: true }).click({ force: true });
  }
  await search.fill('');
  await page.getByText('2 of').waitFor();
  await shoot(page, 'connect-models');
  await page.getByRole('button', { name: 'Test connection' }).click();
  await page.getByText('The provider took the credential').waitFor();
  await shoot(page, 'test-connection');
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await page.getByRole('link', { name: 'Done' }).click();
  await page.getByRole('heading', { name: 'OpenAI for everybody' }).waitFor();
  await close(page);

  const access = await admin('GET', '/integrations/openai-prod/workspaces');
  const mine = access.workspaces.find((one) => one.workspace_id === workspace.id);
  assert.equal(mine.enabled, true);
  assert.deepEqual(mine.usage_limits, [{ type: 'cost', credit_limit: 10, periodic_reset: 'monthly' }]);
  const { models, allow_all_models } = await admin('GET', '/integrations/openai-prod/models');
  assert.equal(allow_all_models, false);
  assert.deepEqual(models.filter((one) => one.enabled).map((one) => one.slug), ['gpt-4o', 'gpt-4o-mini']);
});

test('a developer finds a model, copies the call, and gets an answer', async () => {
  const made = await admin('POST', '/api-keys/workspace/service', { name: 'story', workspace_id: workspace.id, scopes: ['completions.write', 'models.list'] });
  developerKey = made.key;
  const page = await open();
  await signIn(page, developerKey);
  await page.getByRole('heading', { name: 'Models' }).waitFor();
  await settle(page);
  assert.equal(await page.getByRole('link', { name: 'Integrations' }).count(), 0);
  assert.equal(await page.getByRole('table').getByRole('row').count(), 3, 'a head and the two models');
  await page.keyboard.press('/');
  await page.keyboard.type('mini');
  await page.getByRole('link', { name: 'GPT-4o mini' }).click();
  await page.getByRole('tab', { name: 'cURL' }).click();
  await page.getByRole('button', { name: 'Copy code' }).click();
  const code = await clipboard(page);
  await close(page);

  await sim.reset();
  const { stdout } = await run('bash', ['-c', code], { env: { ...process.env, SLUICE_API_KEY: developerKey } });
  assert.ok(JSON.parse(stdout).choices[0].message.content.length > 0);
  const record = await waitFor('the request at the provider', sim.last);
  assert.equal(record.model, 'gpt-4o-mini');
  assert.equal(record.headers.authorization, `Bearer ${SECRET}`);
});

test('the playground streams from two models side by side, with tokens and cost', async () => {
  const page = await open();
  await signIn(page, developerKey);
  await visit(page, '/w/-/playground');
  for (const model of ['gpt-4o-mini', 'gpt-4o']) {
    await page.getByRole('button', { name: /^(Add|Choose a) model$/ }).first().click();
    await page.getByRole('dialog').getByRole('searchbox').fill(model);
    await page.getByRole('option').first().click();
  }
  await page.getByLabel('Prompt').fill('Tell me about sluices.');
  await page.keyboard.press('Enter');
  const columns = page.getByRole('region').filter({ has: page.getByRole('log') });
  await waitFor('two answers', async () => (await page.getByText('total').count()) === 2);
  assert.equal(await columns.count(), 2);
  for (const column of await columns.all()) {
    assert.match(await column.innerText(), /first word\s+\d/);
    assert.match(await column.innerText(), /out\s+[\d,]+ tokens/);
    assert.match(await column.innerText(), /cost\s+≈ \$0\.0/);
  }
  await shoot(page, 'playground-answers');
  await close(page);
});

test('a secret is replaced, never shown, and used from then on', async () => {
  const page = await open();
  await signIn(page, stack.org_admin_key);
  await visit(page, '/integrations/openai-prod');
  assert.ok(!(await page.content()).includes(SECRET));
  await page.getByText('sk-***0001').waitFor();
  await page.getByRole('button', { name: 'Replace' }).first().click();
  await page.getByLabel('API key').fill(SECOND);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('sk-***0002').waitFor();
  await close(page);

  await sim.reset();
  await waitFor('the new secret at the provider', async () => {
    await fetch(`${stack.gateway_url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${developerKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: '@openai-prod/gpt-4o-mini', messages: [{ role: 'user', content: 'x' }] }),
    });
    return (await sim.records()).some((record) => record.headers.authorization === `Bearer ${SECOND}`);
  });
});

test('a model of one’s own, with a price', async () => {
  const page = await open();
  await signIn(page, stack.org_admin_key);
  await visit(page, '/integrations/openai-prod?tab=models');
  await page.getByRole('button', { name: 'Add model' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Model slug').fill('our-model-v1');
  await dialog.getByLabel('Base model').fill('gpt-4o-mi');
  await page.getByRole('option', { name: 'gpt-4o-mini', exact: false }).first().click();
  await dialog.getByLabel('Name at the provider').fill('gpt-4o-mini');
  await dialog.getByRole('switch', { name: 'Custom price' }).click({ force: true });
  await dialog.getByLabel('Input', { exact: true }).fill('0.075');
  await dialog.getByLabel('Output', { exact: true }).fill('0.3');
  await shoot(page, 'custom-model');
  await dialog.getByRole('button', { name: 'Add model' }).click();
  await page.getByRole('row').filter({ hasText: 'our-model-v1' }).getByText('$0.075').waitFor();
  await close(page);
  const { models } = await admin('GET', '/integrations/openai-prod/models');
  const made = models.find((one) => one.slug === 'our-model-v1');
  assert.equal(made.is_custom, true);
  assert.equal(made.upstream_model, 'gpt-4o-mini');
  assert.deepEqual(made.pricing_config.pay_as_you_go, { request_token: { price: 0.0000075 }, response_token: { price: 0.00003 } });
});

test('a provider with a stricter limit, made from the integration', async () => {
  const page = await open();
  await signIn(page, stack.org_admin_key);
  await visit(page, `/w/${workspace.slug}/providers/new`);
  await page.getByLabel('Name', { exact: true }).fill('Experiments');
  await page.getByLabel('Slug').fill('experiments');
  await page.getByRole('button', { name: 'Add rate limit' }).click();
  await page.getByLabel('At most').fill('60');
  await page.getByRole('button', { name: 'Create provider' }).click();
  await page.getByRole('heading', { name: 'Experiments' }).waitFor();
  await settle(page);
  await close(page);
  const made = await admin('GET', `/providers/experiments?workspace_id=${workspace.id}`);
  assert.equal(made.integration_id, 'openai-prod');
  assert.deepEqual(made.rate_limits, [{ type: 'requests', unit: 'rpm', value: 60 }]);
});

test('nobody gets further than their key', async () => {
  const page = await open();
  await page.goto('/integrations');
  await page.waitForURL(/\/sign-in\?to=/);
  await page.getByText('With a key').click();
  await page.getByLabel('API key').fill('slk_nobody');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('not known here').waitFor();
  await page.getByLabel('API key').fill(developerKey);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'You may not see this' }).waitFor();
  await shoot(page, 'no-permission');
  // A key that ends takes its pages with it.
  const { data } = await admin('GET', `/api-keys?workspace_id=${workspace.id}`);
  await admin('DELETE', `/api-keys/${data.find((one) => one.name === 'story').id}`);
  await page.getByRole('link', { name: 'Models' }).click();
  await page.getByText('Your session has ended').waitFor();
  await close(page);
});

test('deleting asks for the name, and takes the models away', async () => {
  const page = await open();
  await signIn(page, stack.org_admin_key);
  await visit(page, '/integrations/openai-prod');
  await page.getByRole('button', { name: 'Delete' }).click();
  const dialog = page.getByRole('dialog');
  assert.equal(await dialog.getByRole('button', { name: 'Delete integration' }).isDisabled(), true);
  await dialog.getByLabel(/Type openai-prod/).fill('openai-prod');
  await shoot(page, 'delete');
  await dialog.getByRole('button', { name: 'Delete integration' }).click();
  await page.getByRole('tab').or(page.getByRole('link', { name: /Connected/ })).first().waitFor();
  await page.waitForURL(/tab=connected/);
  await close(page);
  const { data } = await admin('GET', `/models?workspace_id=${workspace.id}`);
  assert.deepEqual(data, []);
});
