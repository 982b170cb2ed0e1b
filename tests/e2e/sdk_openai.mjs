// sdk_openai.mjs: every OpenAI endpoint as the official SDK calls it; what it returns, and what the provider received.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { before, beforeEach, test } from 'node:test';

import OpenAI, { toFile } from 'openai';

import { admin, baseURL, collect, provider, sim, stack, waitFor } from './suite.mjs';

const options = { apiKey: stack.workspace_key, baseURL, maxRetries: 0 };
const client = new OpenAI(options);
// Objects such as files have no model string, so the provider comes in a header.
const pinned = new OpenAI({ ...options, defaultHeaders: { 'x-portkey-provider': provider } });
const chat = `${provider}/gpt-4o`;
const hello = [{ role: 'user', content: 'Hello!' }];

before(async () => assert.match(stack.workspace_key, /^slk_/));
beforeEach(() => sim.reset());

async function received() {
  const record = await waitFor('a request at the simulator', sim.last);
  assert.ok(!JSON.stringify(record.headers).includes('slk_'), 'a key of ours went upstream');
  return record;
}

test('chat', async () => {
  const reply = await client.chat.completions.create({ model: chat, messages: hello, temperature: 0.5 });
  assert.equal(reply.choices[0].message.content, 'You said: Hello!');
  assert.equal(reply.model, 'gpt-4o');
  assert.equal(reply.usage.total_tokens, reply.usage.prompt_tokens + reply.usage.completion_tokens);
  const record = await received();
  assert.equal(record.path, '/v1/chat/completions');
  assert.deepEqual(JSON.parse(record.body), { model: 'gpt-4o', messages: hello, temperature: 0.5 });
});

test('chat: tools and choices', async () => {
  const reply = await client.chat.completions.create({
    model: chat, n: 2, messages: [{ role: 'user', content: 'weather please' }],
    tools: [{ type: 'function', function: { name: 'get_weather', parameters: {
      type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } }],
  });
  assert.equal(reply.choices.length, 2);
  const call = reply.choices[1].message.tool_calls[0];
  assert.equal(call.function.name, 'get_weather');
  assert.equal(typeof JSON.parse(call.function.arguments).city, 'string');
});

test('chat: structured output is parsed', async () => {
  const reply = await client.chat.completions.parse({
    model: chat, messages: hello,
    response_format: { type: 'json_schema', json_schema: { name: 'x', strict: true, schema: {
      type: 'object', properties: { text: { type: 'string' }, n: { type: 'integer', minimum: 7 } },
      required: ['text', 'n'], additionalProperties: false } } },
  });
  assert.deepEqual(JSON.parse(reply.choices[0].message.content), { text: 'Hello!', n: 7 });
});

test('chat stream: usage stays hidden unless asked for', async () => {
  const chunks = await collect(await client.chat.completions.create({ model: chat, messages: hello, stream: true }));
  assert.equal(chunks.map((c) => c.choices[0]?.delta?.content ?? '').join(''), 'You said: Hello!');
  assert.ok(chunks.every((c) => c.choices.length === 1), 'an event without a choice came through');
  assert.ok(chunks.every((c) => !('usage' in c)), 'usage came through');
  assert.equal(JSON.parse((await received()).body).stream_options.include_usage, true);
});

test('chat stream: usage comes when asked for', async () => {
  const chunks = await collect(await client.chat.completions.create({
    model: chat, messages: hello, stream: true, stream_options: { include_usage: true } }));
  assert.equal(chunks.at(-1).choices.length, 0);
  assert.ok(chunks.at(-1).usage.total_tokens > 0);
});

test('chat stream: include_usage false stays false', async () => {
  const chunks = await collect(await client.chat.completions.create({
    model: chat, messages: hello, stream: true, stream_options: { include_usage: false } }));
  assert.ok(chunks.length > 2);
  assert.ok(chunks.every((c) => !c.usage && c.choices.length === 1));
});

test('chat stream: the SDK runner assembles it', async () => {
  const runner = client.chat.completions.stream({ model: chat, messages: hello });
  assert.equal(await runner.finalContent(), 'You said: Hello!');
});

test('chat stream: leaving it early', async () => {
  const stream = await client.chat.completions.create({
    model: chat, messages: [{ role: 'user', content: 'sim:fault=chunks:500;interval:50' }], stream: true });
  for await (const chunk of stream) if (chunk.choices[0].delta.content) break;
  const record = await waitFor('the end of the request', sim.last);
  assert.equal(record.aborted, true);
});

test('completions', async () => {
  const model = `${provider}/gpt-3.5-turbo-instruct`;
  const reply = await client.completions.create({ model, prompt: 'Say' });
  assert.ok(reply.choices[0].text.includes('Say'));
  const parts = await collect(await client.completions.create({ model, prompt: 'Say', stream: true }));
  assert.ok(parts.every((p) => !p.usage && p.choices.length === 1));
  assert.equal(parts.map((p) => p.choices[0].text).join(''), reply.choices[0].text);
});

test('embeddings', async () => {
  const model = `${provider}/text-embedding-3-small`;
  const [short, floats] = await Promise.all([
    client.embeddings.create({ model, input: ['one', 'two'], dimensions: 8 }),
    client.embeddings.create({ model, input: 'one', encoding_format: 'float' }),
  ]);
  assert.equal(short.data.length, 2);
  assert.deepEqual(short.data[0].embedding, floats.data[0].embedding.slice(0, 8));
});

test('images', async () => {
  const made = await client.images.generate({ model: `${provider}/gpt-image-1`, prompt: 'a cat' });
  assert.equal(Buffer.from(made.data[0].b64_json, 'base64').subarray(1, 4).toString(), 'PNG');
  const image = await toFile(Buffer.from(made.data[0].b64_json, 'base64'), 'cat.png', { type: 'image/png' });
  const edited = await client.images.edit({ model: `${provider}/gpt-image-1`, image, prompt: 'a hat' });
  assert.ok(edited.data[0].b64_json.length > 0);
  const record = await received();
  assert.equal(record.path, '/v1/images/edits');
  assert.equal(record.model, 'gpt-image-1');
});

test('audio', async () => {
  const speech = await client.audio.speech.create({ model: `${provider}/tts-1`, voice: 'alloy', input: 'Good morning' });
  const sound = Buffer.from(await speech.arrayBuffer());
  assert.equal(sound.length, 1600 * 3);
  const file = () => toFile(sound, 'morning.wav', { type: 'audio/wav' });
  const heard = await client.audio.transcriptions.create({ model: `${provider}/whisper-1`, file: await file() });
  assert.match(heard.text, /morning\.wav/);
  const translated = await client.audio.translations.create({ model: `${provider}/whisper-1`, file: await file() });
  assert.match(translated.text, /morning\.wav/);
  assert.equal((await received()).model, 'whisper-1');
});

test('moderations', async () => {
  const reply = await client.moderations.create({ model: `${provider}/omni-moderation-latest`, input: ['fine', 'sim:flag'] });
  assert.deepEqual(reply.results.map((r) => r.flagged), [false, true]);
  assert.equal((await pinned.moderations.create({ input: 'fine' })).results[0].flagged, false);
});

test('responses', async () => {
  const made = await pinned.responses.create({ model: chat, input: 'Hello!' });
  assert.equal(made.output_text, 'You said: Hello!');
  assert.equal((await pinned.responses.retrieve(made.id)).id, made.id);
  const items = await collect(pinned.responses.inputItems.list(made.id));
  assert.equal(items.length, 1);
  const next = await pinned.responses.create({ model: chat, input: 'And?', previous_response_id: made.id });
  assert.equal(next.previous_response_id, made.id);
  await pinned.responses.delete(made.id);
  await assert.rejects(() => pinned.responses.retrieve(made.id), OpenAI.NotFoundError);
  const slow = await pinned.responses.create({ model: chat, input: 'Later', background: true });
  assert.equal((await pinned.responses.cancel(slow.id)).status, 'cancelled');
});

test('responses stream', async () => {
  const events = await collect(await pinned.responses.create({ model: chat, input: 'Hello!', stream: true }));
  assert.equal(events[0].type, 'response.created');
  assert.equal(events.at(-1).type, 'response.completed');
  const text = events.filter((e) => e.type === 'response.output_text.delta').map((e) => e.delta).join('');
  assert.equal(text, 'You said: Hello!');
  assert.equal((await pinned.responses.retrieve(events.at(-1).response.id)).output_text, text);
});

test('files', async () => {
  const data = Buffer.from('{"a":1}\n'.repeat(5000));
  const made = await pinned.files.create({ file: await toFile(data, 'rows.jsonl'), purpose: 'user_data' });
  assert.equal(made.bytes, data.length);
  assert.equal((await pinned.files.retrieve(made.id)).filename, 'rows.jsonl');
  assert.ok(data.equals(Buffer.from(await (await pinned.files.content(made.id)).arrayBuffer())));
  assert.ok((await collect(pinned.files.list())).some((f) => f.id === made.id));
  assert.equal((await pinned.files.delete(made.id)).deleted, true);
  await assert.rejects(() => pinned.files.retrieve(made.id), OpenAI.NotFoundError);
});

function batchRows(count) {
  const row = (i) => JSON.stringify({ custom_id: `r${i}`, method: 'POST', url: '/v1/chat/completions',
                                      body: { model: 'gpt-4o-mini', messages: [{ role: 'user', content: `row ${i}` }] } });
  return Buffer.from(Array.from({ length: count }, (_, i) => row(i)).join('\n') + '\n');
}

test('batches', async () => {
  const input = await pinned.files.create({ file: await toFile(batchRows(3), 'batch.jsonl'), purpose: 'batch' });
  const made = await pinned.batches.create({ input_file_id: input.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
  const done = await waitFor('the end of the batch', async () => {
    const now = await pinned.batches.retrieve(made.id);
    return now.status === 'completed' && now;
  });
  assert.deepEqual(done.request_counts, { total: 3, completed: 3, failed: 0 });
  const output = await (await pinned.files.content(done.output_file_id)).text();
  assert.equal(output.trim().split('\n').length, 3);
  assert.ok((await collect(pinned.batches.list())).some((b) => b.id === made.id));
  const other = await pinned.batches.create({ input_file_id: input.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
  assert.match((await pinned.batches.cancel(other.id)).status, /^cancell/);
});

test('fine-tuning', async () => {
  const rows = Buffer.from('{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}\n'.repeat(10));
  const file = await pinned.files.create({ file: await toFile(rows, 'train.jsonl'), purpose: 'fine-tune' });
  const made = await pinned.fineTuning.jobs.create({ model: `${provider}/gpt-4o-mini`, training_file: file.id, suffix: 'e2e' });
  assert.equal(made.model, 'gpt-4o-mini');
  const done = await waitFor('the end of the job', async () => {
    const now = await pinned.fineTuning.jobs.retrieve(made.id);
    return now.status === 'succeeded' && now;
  });
  assert.match(done.fine_tuned_model, /^ft:gpt-4o-mini:sim:e2e:/);
  assert.ok((await collect(pinned.fineTuning.jobs.listEvents(made.id))).length > 0);
  assert.ok((await collect(pinned.fineTuning.jobs.list())).some((j) => j.id === made.id));
  const tuned = await client.chat.completions.create({ model: `${provider}/${done.fine_tuned_model}`, messages: hello });
  assert.equal(tuned.model, done.fine_tuned_model);
  const other = await pinned.fineTuning.jobs.create({ model: 'gpt-4o-mini', training_file: file.id });
  assert.equal((await pinned.fineTuning.jobs.cancel(other.id)).status, 'cancelled');
});

test('models', async () => {
  const models = await collect(client.models.list());
  assert.ok(models.some((m) => m.id === chat));
  assert.ok(models.every((m) => m.object === 'model' && m.id.startsWith('@')));
  assert.equal((await client.models.retrieve(chat)).id, chat);
  await assert.rejects(() => client.models.retrieve(`${provider}/no-such-model-at-all`), OpenAI.NotFoundError);
  assert.deepEqual(await sim.records(), [], 'the list comes from the catalog of the node');
});

test('errors have the types of the SDK', async () => {
  const ask = (model, text = 'x', key = stack.workspace_key) => () =>
    new OpenAI({ ...options, apiKey: key }).chat.completions.create({ model, messages: [{ role: 'user', content: text }] });
  await assert.rejects(ask(chat, 'x', 'slk_wrong'), OpenAI.AuthenticationError);
  await assert.rejects(ask(chat, 'x', stack.org_admin_key), OpenAI.PermissionDeniedError);
  await assert.rejects(ask('@no-such-provider/gpt-4o'), OpenAI.NotFoundError);
  await assert.rejects(ask(''), OpenAI.BadRequestError);
  assert.deepEqual(await sim.records(), []);
  const faults = { 400: OpenAI.BadRequestError, 401: OpenAI.AuthenticationError, 403: OpenAI.PermissionDeniedError,
                   404: OpenAI.NotFoundError, 422: OpenAI.UnprocessableEntityError, 429: OpenAI.RateLimitError,
                   500: OpenAI.InternalServerError, 503: OpenAI.InternalServerError };
  for (const [status, type] of Object.entries(faults))
    await assert.rejects(ask(chat, `sim:fault=status:${status}`), type, status);
  const fault = await ask(chat, 'sim:fault=status:429')().catch((e) => e);
  assert.equal(fault.headers.get('x-sluice-error-source'), 'provider');
  const refused = await ask('@no-such-provider/gpt-4o')().catch((e) => e);
  assert.equal(refused.headers.get('x-sluice-error-source'), 'gateway');
  assert.match(refused.message, /no-such-provider/);
});

test('a denied model is a PermissionDeniedError', async () => {
  const slug = stack.integration.slug;
  await admin('PUT', `/integrations/${slug}/models`, { models: [{ slug: 'o3-mini', enabled: false }] });
  try {
    await assert.rejects(() => client.chat.completions.create({ model: `${provider}/o3-mini`, messages: hello }),
      (e) => e instanceof OpenAI.PermissionDeniedError && e.code === 'model_not_allowed' && /o3-mini/.test(e.message));
  } finally {
    await admin('PUT', `/integrations/${slug}/models`, { models: [{ slug: 'o3-mini', enabled: true }] });
  }
});

test('retries of the SDK see our retry-after', async () => {
  const patient = new OpenAI({ ...options, maxRetries: 2 });
  const reply = await patient.chat.completions.create({
    model: chat, messages: [{ role: 'user', content: 'sim:fault=status:503;retry-after-ms:20;first:1 again' }] });
  assert.match(reply.choices[0].message.content, /again/);
  assert.equal((await sim.records()).length, 2);
});

test('an upload from a stream of unknown length', async () => {
  const parts = Array.from({ length: 64 }, (_, i) => Buffer.alloc(16384, i));
  const made = await pinned.files.create({ file: await toFile(Readable.from(parts), 'parts.bin'), purpose: 'user_data' });
  assert.equal(made.bytes, 64 * 16384);
});
