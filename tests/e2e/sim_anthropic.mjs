// sim_anthropic.mjs: Anthropic's API in the simulator, by the official SDK (version 2026-10-21) and the one before (2023-06-01).
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import Older from 'anthropic-2023';

import { collect, failure, pdf, png, tokens, truth, url } from './sim_suite.mjs';

console.warn = () => {}; // the SDKs say which models are deprecated

const options = { apiKey: 'sk-ant-one', baseURL: url, maxRetries: 0 };
const client = new Anthropic(options);
const older = new Older(options);
const model = 'claude-sonnet-4-5';
const hello = [{ role: 'user', content: 'Hello!' }];
const weather = { name: 'get_weather', description: 'Weather of a city.', input_schema: {
  type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 3 } }, required: ['city'] } };
const clock = { name: 'get_time', input_schema: { type: 'object', properties: { zone: { type: 'string' } } } };
const ask = (more, sdk = client) => sdk.messages.create({ model, max_tokens: 200, messages: hello, ...more });
const refused = async (more, words, sdk = older) => {
  const error = await failure(ask(more, sdk));
  assert.equal(error.status, 400, JSON.stringify(more));
  assert.equal(error.error.error.type, 'invalid_request_error');
  assert.ok(error.error.error.message.includes(words), `${error.error.error.message} | ${words}`);
};

beforeEach(truth.reset);

test('a message, its usage, its truth record', async () => {
  const { data, response } = await client.messages.create({ model, max_tokens: 200, system: 'Be brief.', messages: hello }).withResponse();
  assert.deepEqual(data.content, [{ type: 'text', text: 'You said: Hello!', citations: null }]);
  assert.deepEqual([data.model, data.stop_reason, data.stop_sequence], ['claude-sonnet-4-5-20250929', 'end_turn', null]);
  assert.equal(data.usage.input_tokens, 3 + 4 + tokens('Be brief.') + 4 + tokens('Hello!'));
  assert.equal(data.usage.output_tokens, 4);
  assert.match(response.headers.get('request-id'), /^req_/);
  assert.ok(response.headers.get('anthropic-ratelimit-input-tokens-remaining'));
  const record = await truth.last();
  assert.deepEqual([record.path, record.auth_header, record.prompt_tokens, record.completion_tokens, record.model],
    ['/v1/messages', 'authorization', data.usage.input_tokens, 4, model]);
  assert.equal(record.headers['anthropic-version'], '2026-10-21');
});

test('any base path, ?beta=true, both headers of a key', async () => {
  await ask({}, older);
  assert.equal((await truth.last()).auth_header, 'x-api-key');
  const bearer = new Older({ authToken: 'sk-ant-one', apiKey: null, baseURL: `${url}/some/base`, maxRetries: 0 });
  const reply = await bearer.beta.messages.create({ model, max_tokens: 9, messages: hello, betas: ['context-1m-2025-08-07'] });
  assert.equal(reply.content[0].text, 'You said: Hello!');
  const record = await truth.last();
  assert.deepEqual([record.path, record.query, record.auth_header], ['/some/base/v1/messages', 'beta=true', 'authorization']);
  assert.equal(record.headers['anthropic-version'], '2023-06-01');
});

test('the whole event set of a stream', async () => {
  const events = await collect(await ask({ stream: true, messages: [{ role: 'user', content: 'weather' }], tools: [weather],
    system: 'sim:fault=preface' }));
  assert.deepEqual(events.filter((e, i) => e.type !== events[i - 1]?.type).map((e) => e.type),
    ['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop', 'content_block_start', 'content_block_delta',
      'content_block_stop', 'message_delta', 'message_stop']);
  assert.equal(events[0].message.usage.output_tokens, 1);
  assert.deepEqual(events[0].message.content, []);
  const last = events.find((e) => e.type === 'message_delta');
  assert.equal(last.delta.stop_reason, 'tool_use');
  const whole = await ask({ messages: [{ role: 'user', content: 'weather' }], tools: [weather], system: 'sim:fault=preface' });
  assert.equal(last.usage.output_tokens, whole.usage.output_tokens);
  assert.equal(last.usage.input_tokens, whole.usage.input_tokens);
  const raw = await (await fetch(`${url}/v1/messages`, { method: 'POST', headers: { 'x-api-key': 'sk-ant-one', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model, max_tokens: 9, messages: hello, stream: true }) })).text();
  assert.match(raw, /^event: message_start\ndata: \{"type":"message_start".*\n\n/);
  assert.match(raw, /\n\nevent: ping\ndata: \{"type":"ping"\}\n\n/);
});

test('a stream accumulates to what the whole reply is', async () => {
  for (const more of [{}, { max_tokens: 2 }, { tools: [weather, clock], messages: [{ role: 'user', content: 'weather and time' }] },
    { messages: [{ role: 'user', content: 'grüße ✓ '.repeat(80) }] }]) {
    const [streamed, whole] = [await client.messages.stream({ model, max_tokens: 2000, messages: hello, ...more }).finalMessage(),
      await ask({ max_tokens: 2000, ...more })];
    for (const block of [...streamed.content, ...whole.content]) delete block.id;
    assert.deepEqual(streamed.content, whole.content);
    assert.deepEqual([streamed.stop_reason, streamed.usage.output_tokens], [whole.stop_reason, whole.usage.output_tokens]);
    assert.equal((await truth.last()).completion_tokens, whole.usage.output_tokens);
  }
});

test('max_tokens, stop sequences, refusal', async () => {
  const cut = await ask({ max_tokens: 2 });
  assert.deepEqual([cut.content[0].text, cut.stop_reason, cut.usage.output_tokens], ['You said', 'max_tokens', 2]);
  assert.deepEqual((await ask({ max_tokens: 0 })).content, []);
  const stopped = await ask({ stop_sequences: ['zzz', 'Hel', ' said'] });
  assert.deepEqual([stopped.content[0].text, stopped.stop_reason, stopped.stop_sequence], ['You', 'stop_sequence', ' said']);
  const refusal = await ask({ messages: [{ role: 'user', content: 'x sim:fault=refuse' }] });
  assert.deepEqual([refusal.stop_reason, refusal.stop_details.type], ['refusal', 'refusal']);
});

test('tools over several turns, in parallel, and the choices', async () => {
  const tools = [weather, clock];
  const messages = [{ role: 'user', content: 'What is the weather and the time?' }];
  const first = await ask({ tools, messages });
  assert.equal(first.stop_reason, 'tool_use');
  assert.deepEqual(first.content.map((b) => [b.type, b.name]), [['tool_use', 'get_weather'], ['tool_use', 'get_time']]);
  assert.deepEqual(first.content[0].input, { city: messages[0].content, days: 3 });
  assert.match(first.content[0].id, /^toolu_/);
  messages.push({ role: 'assistant', content: first.content }, { role: 'user', content: first.content.map((b, i) => (
    { type: 'tool_result', tool_use_id: b.id, content: i ? [{ type: 'text', text: 'noon' }] : 'sunny', is_error: false })) });
  const second = await ask({ tools, messages });
  assert.deepEqual([second.content[0].text, second.stop_reason], ['You said: sunny\nnoon', 'end_turn']);
  const one = async (tool_choice) => (await ask({ tools, tool_choice, messages: messages.slice(0, 1) })).content;
  assert.equal((await one({ type: 'auto', disable_parallel_tool_use: true })).length, 1);
  assert.deepEqual((await one({ type: 'tool', name: 'get_time' })).map((b) => b.name), ['get_time']);
  assert.equal((await one({ type: 'none' }))[0].type, 'text');
  const any = await ask({ tools, tool_choice: { type: 'any' } });
  assert.deepEqual(any.content.map((b) => b.name), ['get_weather']);
  const twice = await ask({ tools, messages: [{ role: 'user', content: 'weather sim:fault=calls:3' }] });
  assert.equal(new Set(twice.content.map((b) => b.id)).size, 3);
});

test('turns that the tool rules refuse', async () => {
  const use = { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: {} }] };
  const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'x' };
  const tools = [weather];
  const turns = (...messages) => ({ tools, messages: [...hello, ...messages] });
  await refused(turns(use), '`tool_use` ids were found without `tool_result` blocks immediately after: toolu_1');
  await refused(turns(use, { role: 'user', content: [{ type: 'text', text: 'first' }, result] }), 'ids were found without');
  await refused(turns({ role: 'assistant', content: 'hm' }, { role: 'user', content: [result] }), 'unexpected `tool_use_id`');
  await refused(turns(use, { role: 'user', content: [result, result] }), 'each tool_use must have a single result');
  await refused({ tools, messages: [{ role: 'user', content: use.content }] }, '`tool_use` blocks can only be in `assistant` messages');
  await refused(turns({ role: 'assistant', content: [result] }), '`tool_result` blocks can only be in `user` messages');
  // neighbours of one role are one turn
  const two = { type: 'tool_use', id: 'toolu_2', name: 'get_weather', input: {} };
  assert.equal((await ask(turns({ role: 'assistant', content: [...use.content, two] }, { role: 'user', content: [result] },
    { role: 'user', content: [{ ...result, tool_use_id: 'toolu_2' }] }))).content[0].text, 'You said: x');
});

test('thinking: signatures come back unchanged or are refused', async () => {
  const tools = [weather], thinking = { type: 'enabled', budget_tokens: 1024 }, max_tokens = 4000;
  const messages = [{ role: 'user', content: 'weather' }];
  const first = await older.messages.create({ model, max_tokens, thinking, tools, messages });
  assert.deepEqual(first.content.map((b) => b.type), ['thinking', 'tool_use']);
  assert.equal(first.content[0].thinking, 'The user says: weather');
  assert.equal(first.usage.output_tokens_details.thinking_tokens, tokens(first.content[0].thinking));
  const streamed = await older.messages.stream({ model, max_tokens, thinking, tools, messages }).finalMessage();
  assert.deepEqual(streamed.content[0], first.content[0]);
  const back = (content) => ({ max_tokens, thinking, tools, messages: [...messages, { role: 'assistant', content },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: first.content[1].id, content: 'sunny' }] }] });
  assert.equal((await ask(back(first.content), older)).content[1].text, 'You said: sunny');
  await refused(back([first.content[1]]), 'Expected `thinking` or `redacted_thinking`, but found `tool_use`');
  await refused(back([{ ...first.content[0], thinking: 'The user says: whether' }, first.content[1]]), 'Invalid `signature` in `thinking` block');
  await refused(back([{ ...first.content[0], signature: `${first.content[0].signature.slice(0, -5)}AAAA=` }, first.content[1]]), 'Invalid `signature`');
});

test('thinking: omitted, redacted, by length, and where it is refused', async () => {
  const adaptive = { thinking: { type: 'adaptive' }, max_tokens: 3000 };
  const omitted = await ask({ model: 'claude-opus-4-7', ...adaptive });
  assert.deepEqual([omitted.content[0].type, omitted.content[0].thinking], ['thinking', '']);
  assert.ok(omitted.usage.output_tokens_details.thinking_tokens > 0);
  const again = await ask({ model: 'claude-opus-4-7', ...adaptive,
    messages: [...hello, { role: 'assistant', content: omitted.content }, { role: 'user', content: 'more' }] });
  assert.equal(again.content[1].text, 'You said: more');
  const shown = await ask({ model: 'claude-opus-4-7', max_tokens: 3000, thinking: { type: 'adaptive', display: 'summarized' },
    messages: [{ role: 'user', content: 'hm sim:fault=reasoning:500' }] });
  assert.equal(shown.usage.output_tokens_details.thinking_tokens, 500);
  assert.equal(shown.content[0].thinking.length, 2000);
  assert.equal((await truth.last()).reasoning_tokens, 500);
  assert.equal((await ask({ model: 'claude-sonnet-5' })).content[0].type, 'thinking');
  const magic = 'ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB';
  const redacted = await ask({ thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 3000, messages: [{ role: 'user', content: magic }] });
  assert.equal(redacted.content[0].type, 'redacted_thinking');
  const stream = await client.messages.stream({ model, thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 3000,
    messages: [{ role: 'user', content: magic }] }).finalMessage();
  assert.deepEqual(stream.content[0], redacted.content[0]);
  await refused({ model, ...adaptive }, 'adaptive thinking is not supported on this model');
  await refused({ model: 'claude-opus-4-7', thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 3000 }, '"thinking.type.enabled" is not supported');
  await refused({ thinking: { type: 'enabled', budget_tokens: 1023 }, max_tokens: 3000 }, 'thinking.enabled.budget_tokens: Input should be greater than or equal to 1024');
  await refused({ thinking: { type: 'enabled', budget_tokens: 2000 }, max_tokens: 2000 }, '`max_tokens` must be greater than `thinking.budget_tokens`');
  await refused({ thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 2000, temperature: 0.5 }, '`temperature` may only be set to 1');
  await refused({ thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 2000, tools: [weather], tool_choice: { type: 'any' } },
    'Thinking may not be enabled when tool_choice forces tool use');
});

test('prompt cache: written, read, by duration, by key and by prefix', async () => {
  const long = 'The river runs on past the mill. '.repeat(200);
  const system = (ttl) => [{ type: 'text', text: long, cache_control: { type: 'ephemeral', ...(ttl && { ttl }) } }];
  const first = (await ask({ system: system() })).usage;
  const cached = 3 + 4 + tokens(long);
  assert.deepEqual([first.input_tokens, first.cache_creation_input_tokens, first.cache_read_input_tokens], [4 + 2, cached, 0]);
  assert.deepEqual(first.cache_creation, { ephemeral_5m_input_tokens: cached, ephemeral_1h_input_tokens: 0 });
  const second = (await ask({ system: system(), messages: [{ role: 'user', content: 'else' }] })).usage;
  assert.deepEqual([second.cache_creation_input_tokens, second.cache_read_input_tokens], [0, cached]);
  const record = await truth.last();
  assert.deepEqual([record.prompt_tokens, record.cached_tokens, record.cache_write_tokens], [cached + 4 + 1, cached, 0]);
  const other = (await ask({ model: 'claude-sonnet-4-0', system: system('1h') })).usage;
  assert.deepEqual(other.cache_creation, { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: cached });
  const grown = (await ask({ system: system(), cache_control: { type: 'ephemeral' },
    messages: [{ role: 'user', content: [{ type: 'text', text: long }] }] })).usage;
  assert.deepEqual([grown.cache_read_input_tokens, grown.cache_creation_input_tokens, grown.input_tokens], [cached, 4 + tokens(long), 0]);
  const streamed = await collect(await ask({ system: system(), stream: true }));
  assert.equal(streamed[0].message.usage.cache_read_input_tokens, cached);
  assert.equal(streamed.at(-2).usage.cache_read_input_tokens, cached);
  assert.equal((await ask({ system: [{ type: 'text', text: 'short', cache_control: { type: 'ephemeral' } }] })).usage.cache_creation_input_tokens, 0);
  const fault = (await ask({ messages: [{ role: 'user', content: 'x sim:fault=cached:3;cache-write:2' }] })).usage;
  assert.deepEqual([fault.cache_read_input_tokens, fault.cache_creation_input_tokens], [3, 2]);
  const mark = { type: 'ephemeral' }, block = { type: 'text', text: 'a', cache_control: mark };
  await refused({ messages: [{ role: 'user', content: [block, block, block, block, block] }] }, 'A maximum of 4 blocks with cache_control');
  await refused({ messages: [{ role: 'user', content: [block, { ...block, cache_control: { type: 'ephemeral', ttl: '1h' } }] }] }, "ttl='1h'");
});

test('images and documents', async () => {
  const content = [
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
    { type: 'image', source: { type: 'url', url: 'https://example.com/x.png' } },
    { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: pdf }, title: 'A', citations: { enabled: false } },
    { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'eight by' } },
    { type: 'text', text: 'What?' },
  ];
  const reply = await ask({ messages: [{ role: 'user', content }] });
  assert.equal(reply.usage.input_tokens, 3 + 4 + 85 + 85 + 200 + 2 + 2);
  assert.equal(reply.content[0].text, 'You said: What?');
  const image = (source) => ({ messages: [{ role: 'user', content: [{ type: 'image', source }] }] });
  await refused(image({ type: 'base64', media_type: 'image/jpeg', data: png }), 'appears to be a image/png image');
  await refused(image({ type: 'base64', media_type: 'image/png', data: 'no base64!' }), 'invalid base64 data');
  await refused(image({ type: 'base64', media_type: 'image/png', data: pdf.slice(0, 8) }), 'Could not process image');
  await refused(image({ type: 'base64', media_type: 'image/bmp', data: png }), "Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'");
  await refused(image({ type: 'url', url: 'http://example.com/x.png' }), 'Only HTTPS URLs are supported');
  const document = { messages: [...hello, { role: 'assistant', content: [content[3]] }, ...hello] };
  assert.equal((await ask(document, older)).stop_reason, 'end_turn');
  await refused(document, '`document` blocks can only be in `user` messages', client);
});

test('JSON output by schema', async () => {
  const schema = { type: 'object', properties: { text: { type: 'string' }, n: { type: 'integer', minimum: 7 } }, required: ['text', 'n'], additionalProperties: false };
  const format = (s) => ({ output_config: { format: { type: 'json_schema', schema: s } } });
  assert.deepEqual(JSON.parse((await ask(format(schema))).content[0].text), { text: 'Hello!', n: 7 });
  await refused({ ...format({ ...schema, additionalProperties: undefined }) }, "'additionalProperties' must be explicitly set to false");
  await refused({ model: 'claude-sonnet-4-0', ...format(schema) }, 'does not support output format');
  await refused({ output_config: { effort: 'low' } }, 'does not support the effort parameter');
  assert.equal((await ask({ model: 'claude-opus-4-6', output_config: { effort: 'max' } })).stop_reason, 'end_turn');
});

test('strict bodies', async () => {
  const long = 'x'.repeat(129);
  const rows = [
    [{ max_tokens: undefined }, 'max_tokens: Field required'],
    [{ max_tokens: 8193, model: 'claude-3-5-haiku-latest' }, 'max_tokens: 8193 > 8192, which is the maximum allowed number of output tokens for claude-3-5-haiku-latest'],
    [{ max_tokens: 1.5 }, 'max_tokens: Input should be a valid integer'],
    [{ seed: 1 }, 'seed: Extra inputs are not permitted'],
    [{ n: 1 }, 'n: Extra inputs are not permitted'],
    [{ response_format: { type: 'json_object' } }, 'response_format: Extra inputs are not permitted'],
    [{ temperature: 1.1 }, 'temperature: Input should be less than or equal to 1'],
    [{ temperature: -0.1 }, 'temperature: Input should be greater than or equal to 0'],
    [{ temperature: 0.5, top_p: 0.5 }, '`temperature` and `top_p` cannot both be specified'],
    [{ stop_sequences: 'x' }, 'stop_sequences: Input should be a valid list'],
    [{ stop_sequences: [' '] }, 'each stop sequence must contain non-whitespace'],
    [{ messages: [] }, 'messages: at least one message is required'],
    [{ messages: [{ role: 'assistant', content: 'x' }] }, 'first message must use the "user" role'],
    [{ messages: [{ role: 'tool', content: 'x' }] }, "messages.0.role: Input should be 'user', 'assistant' or 'system'"],
    [{ messages: [{ role: 'user', content: '' }] }, 'messages.0: all messages must have non-empty content'],
    [{ messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] }, 'text content blocks must be non-empty'],
    [{ messages: [{ role: 'user', content: [{ type: 'text', text: ' ' }] }] }, 'must contain non-whitespace text'],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] }, "messages.0.content.0: Input tag 'image_url' found using 'type'"],
    [{ messages: [{ role: 'user', content: [{ type: 'text', text: 'x', name: 'y' }] }] }, 'messages.0.content.0.text.name: Extra inputs'],
    [{ messages: [{ role: 'user', name: 'bob', content: 'x' }] }, 'messages.0.name: Extra inputs are not permitted'],
    [{ messages: [...hello, { role: 'system', content: 'x' }, ...hello] }, "role 'system' is not supported on this model"],
    [{ messages: [...hello, { role: 'assistant', content: 'end ' }] }, 'final assistant content cannot end with trailing whitespace'],
    [{ model: 'claude-opus-4-6', messages: [...hello, { role: 'assistant', content: 'So' }] }, 'does not support assistant message prefill'],
    [{ model: 'claude-opus-4-7', temperature: 1 }, '`temperature` is deprecated for this model.'],
    [{ tools: [{ type: 'function', function: { name: 'x' } }] }, "tools.0: Input tag 'function' found using 'type'"],
    [{ tools: [{ name: 'x' }] }, 'tools.0.custom.input_schema: Field required'],
    [{ tools: [{ ...weather, name: 'a b' }] }, "tools.0.custom.name: String should match pattern"],
    [{ tools: [{ ...weather, name: long }] }, 'tools.0.custom.name: String should have at most 128 characters'],
    [{ tools: [weather, weather] }, 'tools: Tool names must be unique.'],
    [{ tool_choice: { type: 'auto' } }, 'tool_choice may only be specified while providing tools'],
    [{ tools: [weather], tool_choice: { type: 'tool', name: 'x' } }, "Tool 'x' not found in provided tools"],
    [{ tools: [weather], tool_choice: 'auto' }, 'tool_choice: Input should be a valid dictionary'],
    [{ tools: [{ ...weather, strict: true }] }, "'additionalProperties' must be explicitly set to false"],
    [{ context_management: { edits: [] } }, 'context_management: Extra inputs are not permitted'],
  ];
  for (const [more, words] of rows) await refused(more, words);
  await refused({ temperature: 1 }, 'temperature: Extra inputs are not permitted', client);
  const prefill = await ask({ messages: [...hello, { role: 'assistant', content: 'So' }] });
  assert.equal(prefill.content[0].text, 'You said: Hello!');
  const managed = await older.beta.messages.create({ model, max_tokens: 9, messages: hello, context_management: { edits: [] },
    betas: ['context-management-2025-06-27'] });
  assert.equal(managed.stop_reason, 'max_tokens' === managed.stop_reason ? 'max_tokens' : 'end_turn');
  const system = await ask({ model: 'claude-opus-4-8', messages: [...hello, { role: 'system', content: 'x' }, ...hello] });
  assert.equal(system.usage.input_tokens, 3 + (4 + 2) + (4 + 1) + (4 + 2));
});

test('credentials, versions, unknown models and paths', async () => {
  const wrong = await failure(new Anthropic({ ...options, apiKey: 'sk-ant-two' }).messages.create({ model, max_tokens: 9, messages: hello }));
  assert.deepEqual([wrong.status, wrong.type], [401, 'authentication_error']);
  assert.equal(wrong.requestID, wrong.error.request_id);
  const unknown = await failure(ask({ model: 'gpt-4o' }));
  assert.deepEqual([unknown.status, unknown.type, unknown.apiMessage], [404, 'not_found_error', 'model: gpt-4o']);
  assert.equal((await ask({ model: 'house-claude' })).model, 'house-claude');
  const post = async (headers, path = '/v1/messages', body = JSON.stringify({ model, max_tokens: 9, messages: hello })) => {
    const reply = await fetch(url + path, { method: 'POST', headers, body });
    return [reply.status, (await reply.json()).error?.message];
  };
  const key = { 'x-api-key': 'sk-ant-one', 'anthropic-version': '2023-06-01' };
  assert.deepEqual(await post({ 'anthropic-version': '2023-06-01' }), [401, 'x-api-key header is required']);
  assert.deepEqual(await post({ 'api-key': 'sk-ant-one' }), [401, 'x-api-key header is required']);
  assert.deepEqual(await post({ ...key, 'anthropic-version': '2024-01-01' }), [400, 'anthropic-version: "2024-01-01" is not a valid version']);
  assert.deepEqual(await post({ 'x-api-key': 'sk-ant-one' }), [400, 'anthropic-version: header is required']);
  assert.match((await post({ ...key, 'anthropic-beta': 'nonsense' }))[1], /Unexpected value\(s\) `nonsense`/);
  assert.deepEqual((await post(key, '/v1/message'))[0], 404);
  assert.deepEqual((await post(key, '/v1/messages', '{"model":'))[0], 400);
  assert.equal((await fetch(`${url}/v1/messages`, { headers: key })).status, 405);
});

test('faults in the words of this API', async () => {
  const fault = (spec) => failure(ask({ messages: [{ role: 'user', content: `x sim:fault=${spec}` }] }));
  for (const [status, type] of [[403, 'permission_error'], [413, 'request_too_large'], [429, 'rate_limit_error'], [500, 'api_error'], [529, 'overloaded_error']]) {
    const error = await fault(`status:${status}`);
    assert.deepEqual([error.status, error.type], [status, type]);
  }
  assert.equal((await fault('status:429;retry-after:7')).headers.get('retry-after'), '7');
  const stream = async (spec) => collect(await ask({ stream: true, messages: [{ role: 'user', content: `x sim:fault=${spec}` }] }));
  const error = await failure(stream('error-event:2;chunks:5'));
  assert.equal(error.type, 'overloaded_error');
  const record = await truth.last();
  assert.deepEqual([record.completion_tokens, record.stream], [2, true]);
  await failure(stream('reset-after:2;chunks:5'));
  const cut = await stream('truncate:2;chunks:5').catch(() => []);
  assert.ok(!cut.some((e) => e.type === 'message_stop'));
  assert.equal((await stream('chunks:7')).filter((e) => e.type === 'content_block_delta').length, 7);
});

test('count_tokens and models', async () => {
  const tools = [weather];
  const { input_tokens } = await client.messages.countTokens({ model, tools, system: 'Be brief.', messages: hello });
  assert.equal(input_tokens, 3 + tokens(JSON.stringify(tools)) + 4 + 3 + 4 + 2);
  assert.equal(input_tokens, (await ask({ tools, system: 'Be brief.' })).usage.input_tokens);
  const extra = await failure(client.messages.countTokens({ model, messages: hello, max_tokens: 1 }));
  assert.equal(extra.apiMessage, 'max_tokens: Extra inputs are not permitted');
  const all = await collect(client.models.list({ limit: 4 }));
  assert.ok(all.length > 10);
  assert.equal(all.at(-1).id, 'house-claude');
  assert.equal(new Set(all.map((m) => m.id)).size, all.length);
  assert.equal((await client.models.retrieve('claude-opus-4-5')).id, 'claude-opus-4-5-20251101');
  assert.equal((await failure(client.models.retrieve('gpt-4o'))).status, 404);
});

test('text completions', async () => {
  const complete = (more) => fetch(`${url}/v1/complete`, { method: 'POST', headers: { 'x-api-key': 'sk-ant-one', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: 'claude-2.1', max_tokens_to_sample: 50, prompt: '\n\nHuman: Hello!\n\nAssistant:', ...more }) });
  const reply = await (await complete()).json();
  assert.deepEqual([reply.completion, reply.stop_reason, reply.stop], [' You said: Hello!', 'stop_sequence', '\n\nHuman:']);
  const stream = await (await complete({ stream: true })).text();
  const words = stream.split('\r\n\r\n').filter((e) => e.startsWith('event: completion')).map((e) => JSON.parse(e.slice(e.indexOf('{'))).completion);
  assert.equal(words.join(''), ' You said: Hello!');
  assert.match((await (await complete({ prompt: 'Hello!' })).json()).error.message, /prompt must start with/);
  assert.equal((await complete({ model })).status, 400);
});

test('the benchmark\'s fixed answer', async () => {
  const bench = { messages: [{ role: 'user', content: 'sim:static' }] };
  const whole = await ask(bench);
  assert.deepEqual([whole.usage.input_tokens, whole.usage.output_tokens], [8, tokens(whole.content[0].text)]);
  const streamed = await client.messages.stream({ model, max_tokens: 9, ...bench }).finalMessage();
  assert.deepEqual([streamed.content, streamed.usage.output_tokens], [whole.content, whole.usage.output_tokens]);
  assert.deepEqual(await truth.all(), []);
});
