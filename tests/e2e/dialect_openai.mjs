// dialect_openai.mjs: the official openai package at a provider that speaks Anthropic's dialect: several turns of tools, pictures, JSON
// schemas, thinking over turns, streamed and not; and what that provider received.
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';

import OpenAI from 'openai';

import { baseURL, collect, failure, integrate, pdf, png, received, sim, stack } from './suite.mjs';

const client = new OpenAI({ apiKey: stack.workspace_key, baseURL, maxRetries: 0 });
const say = (content) => [{ role: 'user', content }];
const schema = { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 3 } },
  required: ['city', 'days'], additionalProperties: false };
const tool = (name) => ({ type: 'function', function: { name, description: `${name} of a city`, parameters: schema } });
const tools = [tool('get_weather'), tool('get_time')];
const model = '@claude/claude-sonnet-4-5';
const older = '@claude/claude-3-5-haiku-20241022';

before(() => integrate('claude', 'anthropic'));
beforeEach(() => sim.reset());

const create = (more) => client.chat.completions.create({ model, messages: say('Hello!'), ...more });

test('a chat', async () => {
  const { data, response } = await create({ messages: [{ role: 'system', content: 'Be brief.' }, ...say('Hello!')], seed: 3 }).withResponse();
  assert.equal(data.choices[0].message.content, 'You said: Hello!');
  assert.deepEqual([data.object, data.choices[0].finish_reason, data.model], ['chat.completion', 'stop', 'claude-sonnet-4-5-20250929']);
  assert.match(data.id, /^msg_/);
  assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
  assert.equal(response.headers.get('x-sluice-dropped-params'), 'seed');
  const record = await received();
  assert.deepEqual([record.path, record.query, record.auth_header, record.headers['anthropic-version']],
    ['/v1/messages', '', 'x-api-key', '2023-06-01']);
  assert.deepEqual(record.json, { model: 'claude-sonnet-4-5', max_tokens: 64000, system: [{ type: 'text', text: 'Be brief.' }],
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello!' }] }] });
  assert.deepEqual([data.usage.prompt_tokens, data.usage.completion_tokens], [record.prompt_tokens, record.completion_tokens]);
});

test('a stream, its usage, and what a cache held', async () => {
  const chunks = await collect(await create({ stream: true, stream_options: { include_usage: true },
    messages: say('sim:fault=cached:4;cache-write:2 A longer sentence for a cache.') }));
  assert.equal(chunks.map((c) => c.choices[0]?.delta?.content ?? '').join(''), 'You said: A longer sentence for a cache.');
  const { usage } = chunks.at(-1);
  const record = await received();
  assert.deepEqual([usage.prompt_tokens, usage.prompt_tokens_details.cached_tokens, usage.prompt_tokens_details.cache_write_tokens],
    [record.prompt_tokens, 4, 2]);
  assert.ok(new Set(chunks.map((c) => c.id)).size === 1 && chunks[0].id.startsWith('msg_'));
});

async function talk(stream, more = {}) {
  const messages = say('weather and time please');
  const ask = async () => stream
    ? client.chat.completions.stream({ model, messages, tools, ...more }).finalChatCompletion()
    : create({ messages, tools, ...more });
  const first = (await ask()).choices[0];
  assert.equal(first.finish_reason, 'tool_calls');
  assert.deepEqual(first.message.tool_calls.map((c) => c.function.name), ['get_weather', 'get_time']);
  assert.deepEqual(JSON.parse(first.message.tool_calls[0].function.arguments), { city: 'weather and time please', days: 3 });
  messages.push(first.message, ...first.message.tool_calls.map((c, i) => ({ role: 'tool', tool_call_id: c.id, content: `result ${i}` })));
  const second = (await ask()).choices[0];
  assert.equal(second.finish_reason, 'stop');
  assert.ok(second.message.content.startsWith('You said: '));
  messages.push(second.message, ...say('once more: weather'));
  const third = (await ask()).choices[0];
  assert.deepEqual(third.message.tool_calls.map((c) => c.function.name), ['get_weather']);
  return { first, messages, turns: (await received()).json.messages };
}

for (const stream of [false, true]) {
  test(`tools over several turns, two at once${stream ? ', streamed' : ''}`, async () => {
    const { first, turns } = await talk(stream);
    assert.deepEqual(turns.map((m) => m.role), ['user', 'assistant', 'user', 'assistant', 'user']);
    assert.deepEqual(turns[1].content.filter((b) => b.type === 'tool_use').map((b) => [b.id, b.input.days]),
      first.message.tool_calls.map((c) => [c.id, 3]));
    assert.deepEqual(turns[2].content.map((b) => [b.type, b.tool_use_id]),
      first.message.tool_calls.map((c) => ['tool_result', c.id]));
  });

  test(`thinking is kept over a tool loop${stream ? ', streamed' : ''}`, async () => {
    const { first, turns } = await talk(stream, { reasoning_effort: 'high' });
    const [detail] = first.message.reasoning_details;
    assert.ok(detail.text.startsWith('The user says: '));
    assert.ok(detail.text.endsWith(first.message.reasoning_content)); // of a stream the SDK keeps the last piece
    assert.equal(detail.format, 'anthropic-claude-v1');
    const [thinking] = turns[1].content;
    assert.deepEqual([thinking.type, thinking.thinking, thinking.signature], ['thinking', detail.text, detail.signature]);
    assert.equal((await received()).json.thinking.type, 'enabled');
  });

  for (const strict of [true, false]) {
    test(`an answer by a JSON schema${strict ? ', strictly' : ''}${stream ? ', streamed' : ''}`, async () => {
      const more = { response_format: { type: 'json_schema', json_schema: { name: 'place', strict, schema } } };
      const message = stream
        ? await client.chat.completions.stream({ model, messages: say('Hello!'), ...more }).finalMessage()
        : (await create(more)).choices[0].message;
      assert.deepEqual(JSON.parse(message.content), { city: 'Hello!', days: 3 });
      const { json } = await received();
      assert.equal(json.output_config?.format?.type, strict ? 'json_schema' : undefined);
      assert.equal(json.tool_choice?.name, strict ? undefined : 'json_response');
    });
  }
}

test('runTools drives the loop to its end', async () => {
  const runner = client.chat.completions.runTools({ model, messages: say('weather please'), tools: [{ type: 'function', function: {
    name: 'get_weather', description: 'weather', parameters: schema, parse: JSON.parse, function: ({ days }) => `sun for ${days} days` } }] });
  assert.equal(await runner.finalContent(), 'You said: sun for 3 days');
});

test('pictures and documents', async () => {
  await create({ messages: say([{ type: 'text', text: 'see' }, { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
    { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
    { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${pdf}` } }]) });
  assert.deepEqual((await received()).json.messages[0].content.map((b) => [b.type, b.source?.type]),
    [['text', undefined], ['image', 'base64'], ['image', 'url'], ['document', 'base64']]);
});

test('a model without thinking is told so', async () => {
  const { data, response } = await create({ model: older, reasoning_effort: 'low' }).withResponse();
  assert.equal(data.choices[0].message.content, 'You said: Hello!');
  assert.equal(response.headers.get('x-sluice-dropped-params'), 'reasoning_effort');
});

test('an effort that the model does not have is lowered, and told', async () => {
  const { response } = await create({ model: '@claude/claude-opus-4-6', reasoning_effort: 'xhigh' }).withResponse();
  assert.equal(response.headers.get('x-sluice-dropped-params'), 'reasoning_effort');
  assert.equal((await received()).json.output_config.effort, 'high');
});

test('what cannot be is refused by name', async () => {
  const error = await failure(create({ n: 2 }));
  assert.equal(error.status, 400);
  assert.match(error.message, /n: provider @claude \(anthropic\) cannot honour it/);
  assert.deepEqual(await sim.records(), []);
});

test('errors of the provider', async () => {
  for (const [status, type] of [[429, OpenAI.RateLimitError], [529, OpenAI.InternalServerError], [400, OpenAI.BadRequestError]])
    assert.ok(await failure(create({ messages: say(`sim:fault=status:${status}`) })) instanceof type, `${status}`);
  for (const stream of [false, true])
    assert.equal((await failure(create({ stream, messages: say('sim:fault=status:503') }))).status, 503);
});

test('an error inside a stream', async () => {
  const chunks = [];
  const error = await failure((async () => {
    for await (const chunk of await create({ stream: true, messages: say('sim:fault=error-event:2 some words') })) chunks.push(chunk);
  })());
  assert.ok(chunks.length > 1 && error instanceof OpenAI.APIError, `${error}`);
});

test('a stream that breaks off never looks complete', async () => {
  for (const fault of ['truncate:2', 'reset-after:2'])
    assert.ok(await failure(create({ stream: true, messages: say(`sim:fault=${fault} some words`) }).then(collect)) instanceof Error);
});

test('legacy functions and completions', async () => {
  const reply = await create({ messages: say('weather and time please'), functions: tools.map((t) => t.function) });
  assert.deepEqual([reply.choices[0].finish_reason, reply.choices[0].message.function_call.name], ['function_call', 'get_weather']);
  const text = await client.completions.create({ model, prompt: 'Say', max_tokens: 50 });
  assert.deepEqual([text.object, text.choices[0].text], ['text_completion', 'You said: Say']);
  const parts = await collect(await client.completions.create({ model, prompt: 'Say', max_tokens: 50, stream: true }));
  assert.equal(parts.map((p) => p.choices[0].text).join(''), 'You said: Say');
  assert.equal((await received()).path, '/v1/messages');
});
