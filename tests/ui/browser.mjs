// browser.mjs: pages of the console with a guard around them. A page that logs an error, breaks its policy or asks another host for
// anything is a failure of the suite that opened it, whatever else it checked.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

import { stack } from './suite.mjs';

export const base = stack.console_url.replace(/\/$/, '');
const OURS = [new URL(stack.control_url).origin, new URL(stack.gateway_url).origin];
const EXPECTED = /Failed to load resource: the server responded with a status of (400|401|403|404|409|412|429|503)/;
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

let launched; // one browser, also when several pages are opened at once

/** Gives a page of a fresh profile; close(page) checks its guard. */
export async function open({ theme = 'light', width = 1280, height = 800 } = {}) {
  launched ??= chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  const context = await (await launched).newContext({
    baseURL: base,
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: 'reduce',
    deviceScaleFactor: Number(process.env.SLUICE_SHOTS_SCALE ?? 1),
    permissions: ['clipboard-read', 'clipboard-write'],
    timezoneId: 'UTC',
  });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !EXPECTED.test(message.text())) page.faults.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol) && !OURS.includes(url.origin)) page.faults.push(`asked ${url.origin}`);
  });
  await page.exposeBinding('sluicePolicy', (_, what) => page.faults.push(`policy: ${what}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.sluicePolicy(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
    });
  });
  return page;
}

export function checkGuard(page) {
  assert.deepEqual(page.faults, [], `at ${page.url()}`);
}

export async function close(page) {
  await page.context().close();
  checkGuard(page);
}

export async function shut() {
  await (await launched)?.close();
}

/** Signs in with a key; the page that is shown then is the start. */
export async function signIn(page, key) {
  await page.goto('/sign-in');
  await page.getByText('With a key').click();
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('#main').waitFor();
}

/** Signs in as a person. */
export async function signInAs(page, email, password) {
  await page.goto('/sign-in');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('#main').waitFor();
}

/** Goes to a page and waits until it has what it shows. */
export async function visit(page, path) {
  await page.goto(path);
  await settle(page);
}

export async function settle(page) {
  await page.waitForLoadState('networkidle');
  await page.waitForFunction(() => document.querySelector('[aria-label=Loading]:not([data-example] *)') === null);
}

/** A picture, if they are wanted. */
export async function shoot(page, name) {
  const folder = process.env.SLUICE_SHOTS;
  if (folder) await page.screenshot({ path: `${folder}/${name}.jpg`, type: 'jpeg', quality: 60 });
}

export const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());
