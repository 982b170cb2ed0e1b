// people.mjs: those who sign in by password: an owner, and somebody who was invited.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { close, open, settle, shoot, shut, signInAs, visit } from './browser.mjs';
import { admin, stack } from './suite.mjs';

const WORD = 'a long enough password';

after(shut);

test('an owner signs in, another tab goes on, and signing out ends both', async () => {
  const page = await open();
  await page.goto('/sign-in');
  await page.getByLabel('E-mail').fill(stack.admin_email);
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('E-mail and password do not fit').waitFor();
  await signInAs(page, stack.admin_email, stack.admin_password);
  await page.getByRole('link', { name: 'Integrations' }).waitFor();
  assert.ok(!JSON.stringify(await page.evaluate(() => ({ ...sessionStorage, ...localStorage }))).includes(stack.admin_password));

  const tab = await page.context().newPage();
  await tab.goto('/workspaces');
  await tab.getByRole('heading', { name: 'Workspaces' }).waitFor();
  // A change, which the API takes with the guard word only.
  await tab.getByRole('button', { name: 'Create workspace' }).first().click();
  await tab.getByRole('dialog').getByLabel('Name').fill('Made by a person');
  await tab.getByRole('dialog').getByRole('button', { name: 'Create workspace' }).click();
  await tab.getByRole('heading', { name: 'Made by a person' }).waitFor();
  await tab.getByRole('button', { name: 'Sign out' }).click();
  await tab.getByRole('heading', { name: 'Sign in' }).waitFor();
  await tab.close();

  await page.getByRole('link', { name: 'Data planes' }).click();
  await page.getByText('Your session has ended').waitFor();
  await close(page);
});

test('an invite becomes a member, who sees their workspace and nothing of the organisation', async () => {
  const invite = await admin('POST', '/admin/users/invites', {
    email: 'ada@example.org',
    role: 'member',
    workspaces: [{ id: stack.workspace.id, role: 'member' }],
  });
  const page = await open();
  await page.goto(new URL(invite.invite_link).href.replace(new URL(invite.invite_link).origin, ''));
  await page.getByLabel('First name').fill('Ada');
  await page.getByLabel('Last name').fill('Lovelace');
  await page.getByRole('textbox', { name: 'Password' }).fill('short');
  await page.getByRole('button', { name: 'Set password' }).click();
  await page.getByText('must have 12').waitFor();
  await shoot(page, 'invite');
  await page.getByRole('textbox', { name: 'Password' }).fill(WORD);
  await page.getByRole('button', { name: 'Set password' }).click();
  await page.getByText('Your password is set').waitFor();

  await signInAs(page, 'ada@example.org', WORD);
  await page.getByRole('heading', { name: 'Models' }).waitFor();
  await page.getByText('Ada Lovelace').waitFor();
  await settle(page);
  for (const name of ['Integrations', 'Data planes', 'Audit log']) assert.equal(await page.getByRole('link', { name }).count(), 0, name);
  await visit(page, '/w/default/members');
  await page.getByRole('table', { name: 'Members' }).getByText('ada@example.org').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await close(page);
});
