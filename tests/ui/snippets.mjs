// snippets.mjs: every snippet of every kind of model, copied out of the page by its button and run as it is: what a newcomer pastes must
// work. Proof is what the provider was asked for.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { clipboard, close, open, settle, shut, signIn, visit } from './browser.mjs';
import { admin, sim, stack, waitFor } from './suite.mjs';

const run = promisify(execFile);
const tools = process.env.UI_TOOLS;
const provider = stack.provider.slug;
const folder = mkdtempSync(join(tools, 'snippets.')); // beside node_modules, where modules are looked up
const environment = { ...process.env, SLUICE_API_KEY: stack.workspace_key };
for (const name of ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'PORTKEY_API_KEY', 'PORTKEY_BASE_URL']) delete environment[name];

// model, path that the provider must be asked for, snippets that must be there at least
const MODELS = [
  ['gpt-4o-mini', '/v1/chat/completions', ['cURL', 'OpenAI Python', 'OpenAI JS', 'Portkey Python', 'Portkey JS', 'Vercel AI SDK', 'LangChain Python', 'LangChain JS', 'Environment']],
  ['text-embedding-3-small', '/v1/embeddings', ['cURL', 'OpenAI Python', 'OpenAI JS', 'Portkey Python', 'Portkey JS']],
  ['gpt-image-1', '/v1/images/generations', ['cURL', 'OpenAI Python', 'OpenAI JS', 'Portkey Python', 'Portkey JS']],
  ['tts-1', '/v1/audio/speech', ['cURL', 'OpenAI Python', 'OpenAI JS']],
  ['whisper-1', '/v1/audio/transcriptions', ['cURL', 'OpenAI Python', 'OpenAI JS']],
  ['gpt-3.5-turbo-instruct', '/v1/completions', ['cURL', 'OpenAI Python', 'OpenAI JS']],
  ['omni-moderation-latest', '/v1/moderations', ['cURL', 'OpenAI Python', 'OpenAI JS']],
];

let page;

before(async () => {
  writeFileSync(join(folder, 'speech.mp3'), Buffer.alloc(2048, 0x55));
  // Node 18 has File, but not as a global, and the SDKs ask for it when they upload.
  writeFileSync(join(folder, 'file-global.mjs'), "import { File } from 'node:buffer';\nglobalThis.File ??= File;\n");
  page = await open();
  await signIn(page, stack.workspace_key);
});

after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await close(page);
  await shut();
});

/** What the page shows of a model, in its order: way, label, code. */
async function copied(model) {
  await visit(page, `/w/default/models/@${provider}/${model}`);
  await page.getByRole('heading', { name: 'Call it' }).waitFor();
  const ways = page.getByRole('radiogroup', { name: 'How the model is named' });
  const names = (await ways.count()) === 0 ? [undefined] : await ways.locator('label').allInnerTexts();
  const found = [];
  for (const way of names) {
    if (way !== undefined) await ways.getByText(way, { exact: true }).click();
    for (const tab of await page.getByRole('tab').all()) {
      await tab.click();
      await page.getByRole('button', { name: 'Copy code' }).click();
      await page.getByRole('button', { name: 'Copied' }).waitFor();
      found.push({ way: way ?? 'Model string', label: await tab.innerText(), code: await clipboard(page) });
    }
  }
  return found;
}

const shell = (code) => run('bash', ['-c', code], { cwd: folder, env: environment });

async function execute(label, code) {
  if (code.includes('import ') && /JS|SDK/.test(label)) {
    writeFileSync(join(folder, 'snippet.mjs'), code);
    return run('node', ['--import', join(folder, 'file-global.mjs'), join(folder, 'snippet.mjs')], { cwd: folder, env: environment });
  }
  if (/Python/.test(label)) {
    writeFileSync(join(folder, 'snippet.py'), code);
    return run(join(tools, 'venv/bin/python'), [join(folder, 'snippet.py')], { cwd: folder, env: environment });
  }
  // Curl lines leave a refusal in the answer; --fail-with-body makes it one here, without a change to what was copied.
  return shell(`curl() { command curl --silent --show-error --fail-with-body "$@"; }\n${code}`);
}

/** The documents of the config way: saved as a config and named in the header, as the page says. */
async function throughConfig(label, code) {
  const body = { name: label, workspace_id: stack.workspace.id, config: JSON.parse(code) };
  const { slug } = await admin('POST', '/configs', body);
  const model = code.includes('override_params') ? '' : '"model": "gpt-4o-mini", ';
  return shell(`curl --silent --fail-with-body ${stack.gateway_url}/v1/chat/completions -H "Authorization: Bearer $SLUICE_API_KEY" \
    -H 'x-portkey-config: ${slug}' -H 'content-type: application/json' -d '{${model}"messages": [{"role": "user", "content": "Hello!"}]}'`);
}

/** A client that takes address and key from the environment alone. */
const throughEnvironment = (code) =>
  shell(`${code}
${join(tools, 'venv/bin/python')} - <<'END'
from openai import OpenAI
OpenAI().chat.completions.create(model="@${provider}/gpt-4o-mini", messages=[{"role": "user", "content": "Hello!"}])
END`);

for (const [model, path, wanted] of MODELS) {
  test(`${model}: every snippet as copied`, async (t) => {
    const all = await copied(model);
    const labels = all.filter((one) => one.way === 'Model string').map((one) => one.label);
    for (const label of wanted) assert.ok(labels.includes(label), `${label} is missing: ${labels}`);
    for (const { way, label, code } of all) {
      await t.test(`${way}, ${label}`, async () => {
        await sim.reset();
        if (label === 'Environment') await throughEnvironment(code);
        else if (code.startsWith('{')) await throughConfig(label, code);
        else await execute(label, code);
        const [record, ...more] = await waitFor('a request at the provider', async () => {
          const records = await sim.records();
          return records.length > 0 && records;
        });
        assert.equal(more.length, 0, 'one request');
        assert.equal(record.path, path);
        assert.equal(record.model, model);
        assert.equal(record.status, 200);
      });
    }
  });
}
