// guide.mjs: the guide at /docs, as somebody sees it who has not signed in.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, test } from 'node:test';

import { base, checkGuard, clipboard, close, open, settle, shoot, shut, signIn, visit } from './browser.mjs';
import { stack } from './suite.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const LEVELS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

after(shut);

const addresses = (page, within) =>
  page.locator(`${within} a`).evaluateAll((links) => links.map((link) => link.getAttribute('href')));

async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate((levels) => window.axe.run(document, { runOnly: { type: 'tag', values: levels } }), LEVELS);
  return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(' | ')}`);
}

for (const [name, view] of Object.entries({ light: {}, dark: { theme: 'dark' }, phone: { width: 390, height: 844 } })) {
  test(`every page stands without sign-in, and its links lead somewhere: ${name}`, async () => {
    const page = await open(view);
    await visit(page, '/docs');
    const pages = await addresses(page, 'nav');
    assert.ok(pages.length > 5, `${pages.length} pages`);
    const followed = new Set();
    for (const path of pages) {
      await visit(page, path);
      assert.equal(new URL(page.url()).pathname, path);
      await page.getByRole('article').getByRole('heading', { level: 1 }).waitFor();
      await shoot(page, `${name}-guide-${path.split('/').at(-1)}`);
      assert.deepEqual(await violations(page), [], path);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(wide <= 0, `${path} is ${wide} px wider than the window`);
      for (const link of await addresses(page, 'article')) followed.add(link);
      checkGuard(page);
    }
    assert.ok(followed.size > 3);
    for (const link of followed) {
      const { pathname, hash } = new URL(link, base);
      assert.ok(pages.includes(pathname), link);
      if (hash === '') continue;
      await visit(page, link);
      await page.locator(`article ${hash}`).waitFor();
    }
    await close(page);
  });
}

test('error codes are those of the product, and examples name this gateway', async () => {
  const page = await open();
  await visit(page, '/docs/errors');
  const codes = readFileSync(`${process.env.UI_SOURCE}/common/status.def`, 'utf8');
  const known = [...codes.matchAll(/^STATUS\(\w+,\s*(\d+),\s*"(\w+)"/gm)].filter(([, http]) => Number(http) >= 400);
  assert.ok(known.length > 40);
  const rows = await page.getByRole('article').locator('tbody tr').evaluateAll((all) => all.map((row) => [...row.cells].slice(0, 2).map((cell) => cell.textContent)));
  assert.deepEqual(rows, known.map(([, http, code]) => [http, code]));
  await visit(page, '/docs/first-day');
  await page.getByRole('article').getByText(`${stack.gateway_url.replace(/\/$/, '')}/v1/chat/completions`).waitFor();
  await page.getByRole('button', { name: 'Copy code' }).last().click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  assert.match(await clipboard(page), /^curl http/);
  await close(page);
});

test('it is linked from the sign-in page and from the navigation, and there is a way back', async () => {
  const page = await open();
  await page.goto('/sign-in');
  await page.getByRole('link', { name: 'Guide' }).click();
  await page.getByRole('heading', { level: 1, name: 'First day' }).waitFor();
  await signIn(page, stack.workspace_key);
  await page.getByRole('link', { name: 'Guide' }).click();
  await page.getByRole('heading', { level: 1, name: 'First day' }).waitFor();
  await page.getByRole('link', { name: 'Open the console' }).click();
  await page.getByRole('heading', { name: 'Models' }).waitFor();
  await visit(page, '/docs/nothing');
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
  await settle(page);
  await close(page);
});
