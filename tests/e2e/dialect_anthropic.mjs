// dialect_anthropic.mjs: the official @anthropic-ai/sdk through /v1/messages: at a provider of OpenAI's dialect (translated) and at
// Anthropic's own (spliced), the same calls and the same answers; the SDK of the API's version before as well.
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import Older from 'anthropic-2023';

import { baseURL, collect, failure, integrate, pdf, png, provider, received, sim, stack } from './suite.mjs';

console.warn = () => {}; // the SDKs say which models are deprecated

const options = { apiKey: stack.workspace_key, baseURL: stack.gateway_url, maxRetries: 0 };
const client = new Anthropic(options);
const older = new Older(options);
const say = (content) => [{ role: 'user', content }];
const schema = { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 3 } },
  required: ['city', 'days'], additionalProperties: false };
const tools = ['get_weather', 'get_time'].map((name) => ({ name, description: name, input_schema: schema }));
const homes = [
  { name: 'a provider of OpenAI’s dialect', model: `${provider}/gpt-4o`, path: '/v1/chat/completions' },
  { name: 'Anthropic', model: '@claude/claude-sonnet-4-5', path: '/v1/messages' },
];

before(() => integrate('claude', 'anthropic'));
beforeEach(() => sim.reset());

for (const { name, model, path } of homes) {
  const ask = (more = {}, sdk = client) => sdk.messages.create({ model, max_tokens: 200, messages: say('Hello!'), ...more });
  const stream = (more = {}, sdk = client) => sdk.messages.stream({ model, max_tokens: 200, messages: say('Hello!'), ...more });

  test(`${name}: a message`, async () => {
    for (const sdk of [client, older]) {
      const message = await ask({ system: 'Be brief.', metadata: { user_id: 'u' }, stop_sequences: ['END'] }, sdk);
      assert.deepEqual([message.type, message.role, message.stop_reason, message.content[0].text],
        ['message', 'assistant', 'end_turn', 'You said: Hello!']);
      assert.match(message.id, /^msg_/);
      const record = await received();
      assert.equal(record.path, path);
      assert.deepEqual([message.usage.input_tokens, message.usage.output_tokens], [record.prompt_tokens, record.completion_tokens]);
    }
  });

  test(`${name}: a stream has the whole event set`, async () => {
    const events = await collect(await ask({ stream: true, messages: say('weather please'), tools, system: 'sim:fault=preface' }));
    assert.deepEqual(events.filter((e, i) => e.type !== events[i - 1]?.type).map((e) => e.type),
      ['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop', 'content_block_start', 'content_block_delta',
        'content_block_stop', 'message_delta', 'message_stop']);
    const record = await received();
    const { usage } = events.findLast((e) => e.type === 'message_delta');
    assert.deepEqual([usage.input_tokens, usage.output_tokens], [record.prompt_tokens, record.completion_tokens]);
  });

  for (const streamed of [false, true]) {
    const turn = (more) => streamed ? stream(more).finalMessage() : ask(more);

    test(`${name}: tools over several turns, two at once${streamed ? ', streamed' : ''}`, async () => {
      const messages = say('weather and time please');
      const first = await turn({ messages, tools });
      const calls = first.content.filter((b) => b.type === 'tool_use');
      assert.equal(first.stop_reason, 'tool_use');
      assert.deepEqual(calls.map((c) => [c.name, c.input.days]), [['get_weather', 3], ['get_time', 3]]);
      messages.push({ role: 'assistant', content: first.content }, { role: 'user', content: [
        { type: 'tool_result', tool_use_id: calls[0].id, content: 'sun' },
        { type: 'tool_result', tool_use_id: calls[1].id, content: [{ type: 'text', text: 'noon' }], is_error: true }] });
      const second = await turn({ messages, tools });
      assert.equal(second.stop_reason, 'end_turn');
      assert.ok(second.content[0].text.startsWith('You said: '));
      messages.push({ role: 'assistant', content: second.content }, ...say('weather'));
      const third = await turn({ messages, tools, tool_choice: { type: 'tool', name: 'get_time', disable_parallel_tool_use: true } });
      assert.deepEqual(third.content.map((b) => b.name), ['get_time']);
    });

    test(`${name}: an answer by a JSON schema${streamed ? ', streamed' : ''}`, async () => {
      const message = await turn({ output_config: { format: { type: 'json_schema', schema } } });
      assert.deepEqual(JSON.parse(message.content[0].text), { city: 'Hello!', days: 3 });
    });
  }

  test(`${name}: pictures and documents`, async () => {
    const message = await ask({ messages: say([{ type: 'text', text: 'see' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
      { type: 'document', title: 'T', source: { type: 'base64', media_type: 'application/pdf', data: pdf } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'words' } }]) });
    assert.equal(message.type, 'message');
  });

  test(`${name}: a refusal, a limit, a stop sequence`, async () => {
    assert.equal((await ask({ messages: say('sim:fault=refuse no') })).stop_reason, 'refusal');
    assert.equal((await ask({ max_tokens: 2 })).stop_reason, 'max_tokens');
    assert.equal((await ask({ stop_sequences: ['said'] }, older)).content[0].text, 'You ');
  });

  test(`${name}: errors are Anthropic’s, whole and in front of a stream`, async () => {
    const rows = [[400, Anthropic.BadRequestError, 'invalid_request_error'], [429, Anthropic.RateLimitError, 'rate_limit_error'],
      [500, Anthropic.InternalServerError, 'api_error'], [529, Anthropic.InternalServerError, 'overloaded_error']];
    for (const [status, type, word] of rows)
      for (const streamed of [false, true]) {
        const error = await failure(ask({ stream: streamed, messages: say(`sim:fault=status:${status}`) }));
        assert.ok(error instanceof type, `${status}: ${error}`);
        assert.deepEqual([error.status, error.error.type, error.error.error.type], [status, 'error', word]);
      }
  });

  test(`${name}: an error inside a stream, and streams that break off`, async () => {
    for (const fault of ['error-event:2', 'truncate:2', 'reset-after:2']) {
      const error = await failure(stream({ messages: say(`sim:fault=${fault} some words`) }).finalMessage());
      assert.ok(error instanceof Anthropic.AnthropicError, `${fault}: ${error}`);
    }
  });

  test(`${name}: the beta API, at any base URL, with either header`, async () => {
    const base = { apiKey: null, authToken: stack.workspace_key, maxRetries: 0 };
    for (const url of [stack.gateway_url, baseURL]) {
      const reply = await new Older({ ...base, baseURL: url }).beta.messages.create({ model, max_tokens: 9, messages: say('Hi'),
        betas: ['context-1m-2025-08-07'] });
      assert.equal(reply.content[0].text, 'You said: Hi');
    }
    assert.equal((await received()).query, path === '/v1/messages' ? 'beta=true' : '');
    const bare = await fetch(`${stack.gateway_url}/messages`, { method: 'POST', headers: { 'x-api-key': stack.workspace_key,
      'content-type': 'application/json' }, body: JSON.stringify({ model, max_tokens: 9, messages: say('Hi') }) });
    assert.equal((await bare.json()).content?.[0].text, 'You said: Hi');
  });

  test(`${name}: tokens are counted`, async () => {
    const { data, response } = await client.messages.countTokens({ model, system: 'Be brief.', messages: say('Hello there, you!'), tools })
      .withResponse();
    assert.ok(data.input_tokens > 20 && data.input_tokens < 200, `${data.input_tokens}`);
    const counted = path === '/v1/messages';
    assert.equal(response.headers.get('x-sluice-estimated'), counted ? null : 'input_tokens');
    assert.equal((await sim.records()).length, counted ? 1 : 0);
  });
}

test('what is left out is said', async () => {
  const { response } = await client.messages.create({ model: `${provider}/gpt-4o`, max_tokens: 99, cache_control: { type: 'ephemeral' },
    messages: say([{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }]), thinking: { type: 'enabled', budget_tokens: 1024 } })
    .withResponse();
  assert.equal(response.headers.get('x-sluice-dropped-params'), 'messages.cache_control, thinking, cache_control');
});

test('the list of models has Anthropic’s shape', async () => {
  const page = await client.models.list({ limit: 3 });
  assert.equal(page.data.length, 3);
  assert.ok(page.has_more && page.data.every((m) => m.type === 'model' && m.id.startsWith('@') && m.display_name));
  const all = new Set();
  for await (const model of client.models.list({ limit: 500 })) all.add(model.id);
  const plain = await (await fetch(`${baseURL}/models`, { headers: { 'x-portkey-api-key': stack.workspace_key } })).json();
  assert.deepEqual([...all].sort(), plain.data.map((m) => m.id).sort());
  assert.equal((await client.models.retrieve('@claude/claude-sonnet-4-5')).id, '@claude/claude-sonnet-4-5');
  const missing = await failure(client.models.retrieve('@claude/none'));
  assert.deepEqual([missing.status, missing.error.error.type], [404, 'not_found_error']);
});

test('refusals of the gateway are Anthropic’s errors', async () => {
  const error = await failure(client.messages.create({ model: '@nobody/x', max_tokens: 9, messages: say('Hi') }));
  assert.ok(error instanceof Anthropic.NotFoundError);
  assert.match(error.message, /no provider/);
  const tool = await failure(client.messages.create({ model: `${provider}/gpt-4o`, max_tokens: 9, messages: say('Hi'),
    tools: [{ type: 'web_search_20250305', name: 'web_search' }] }));
  assert.match(tool.message, /tools\[0\]: provider @openai \(openai\) does not take tools that another provider runs/);
  const key = await failure(new Anthropic({ ...options, apiKey: 'nonsense' }).messages.create({ model: '@a/x', max_tokens: 9, messages: say('Hi') }));
  assert.ok(key instanceof Anthropic.AuthenticationError);
});
