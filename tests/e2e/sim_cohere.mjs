// sim_cohere.mjs: Cohere's API (v2) in the simulator, by the official SDK; and what it refuses.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { CohereClientV2, CohereError } from 'cohere-ai';

import { collect, failure, png, tokens, truth, url } from './sim_suite.mjs';

const client = (token = 'cohere-key-one') => new CohereClientV2({ token, environment: url, maxRetries: 0 });
const cohere = client();
const model = 'command-a-03-2025', thinker = 'command-a-reasoning-08-2025';
const user = (content) => ({ role: 'user', content });
const ask = (more = {}) => cohere.chat({ model, messages: [user('Hello!')], ...more });
const stream = async (more = {}) => collect(await cohere.chatStream({ model, messages: [user('Hello!')], ...more }));
const tool = (name) => ({ type: 'function', function: { name, description: 'd',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } });
const post = async (path, body) => {
  const reply = await fetch(url + path, { method: 'POST', headers: { authorization: 'Bearer cohere-key-one' }, body: JSON.stringify(body) });
  return { status: reply.status, json: await reply.json() };
};
const refused = async (body, words, status = 400) => {
  const reply = await post('/v2/chat', { model, messages: [user('x')], ...body });
  assert.equal(reply.status, status, JSON.stringify(reply.json));
  assert.ok(reply.json.message.includes(words), `${reply.json.message} | ${words}`);
};

/** What the pieces of a stream come to. */
const put = (events) => {
  const whole = { content: {}, calls: {}, plan: '', citations: [] };
  for (const { type, index, delta } of events) {
    const message = delta?.message;
    if (type === 'content-start') whole.content[index] = { type: message.content.type, said: '' };
    else if (type === 'content-delta') whole.content[index].said += message.content.text ?? message.content.thinking;
    else if (type === 'tool-plan-delta') whole.plan += message.toolPlan;
    else if (type === 'tool-call-start') whole.calls[index] = { ...message.toolCalls.function, id: message.toolCalls.id };
    else if (type === 'tool-call-delta') whole.calls[index].arguments += message.toolCalls.function.arguments;
    else if (type === 'citation-start') whole.citations.push(message.citations);
    else if (type === 'message-end') Object.assign(whole, { reason: delta.finishReason, usage: delta.usage, error: delta.error });
  }
  return whole;
};

beforeEach(truth.reset);

test('answer, usage, truth record', async () => {
  const reply = await ask({ messages: [{ role: 'system', content: 'Be brief.' }, user('Hello!')] });
  assert.deepEqual(reply.message.content, [{ type: 'text', text: 'You said: Hello!' }]);
  const input = 3 + 4 + tokens('Be brief.') + 4 + tokens('Hello!');
  assert.deepEqual([reply.usage.billedUnits.inputTokens, reply.usage.billedUnits.outputTokens, reply.finishReason], [input, 4, 'COMPLETE']);
  const record = await truth.last();
  assert.deepEqual([record.path, record.auth_header, record.prompt_tokens, record.completion_tokens], ['/v2/chat', 'authorization', input, 4]);
});

test('a stream is the same content', async () => {
  for (const more of [{}, { maxTokens: 2 }, { stopSequences: [' said'] }, { model: thinker }, { messages: [user('grüße ✓ '.repeat(80))] },
    { documents: ['one', { data: { title: 't', text: 'two' } }] }]) {
    const whole = await ask(more), pieces = put(await stream(more));
    assert.deepEqual(Object.values(pieces.content).map((c) => [c.type, c.said]), whole.message.content.map((c) => [c.type, c.text ?? c.thinking]));
    assert.deepEqual([pieces.reason, pieces.usage, pieces.citations], [whole.finishReason, whole.usage, whole.message.citations ?? []]);
  }
});

test('calls, their results, and the plan in front of them', async () => {
  for (const streamed of [false, true]) {
    const more = { messages: [user('weather and time sim:fault=preface')], tools: [tool('get_weather'), tool('get_time')] };
    const reply = streamed ? put(await stream(more)) : await ask(more);
    const calls = streamed ? Object.values(reply.calls) : reply.message.toolCalls.map((c) => ({ ...c.function, id: c.id }));
    assert.deepEqual(calls.map((c) => c.name), ['get_weather', 'get_time']);
    assert.ok(calls.every((c) => typeof JSON.parse(c.arguments).city === 'string'));
    assert.ok((streamed ? reply.plan : reply.message.toolPlan).length > 0);
    assert.equal(streamed ? reply.reason : reply.finishReason, 'TOOL_CALL');
    const toolCalls = calls.map((c) => ({ id: c.id, type: 'function', function: { name: c.name, arguments: c.arguments } }));
    const second = await ask({ ...more, messages: [...more.messages, { role: 'assistant', toolPlan: 'p', toolCalls },
      ...toolCalls.map((c) => ({ role: 'tool', toolCallId: c.id, content: [{ type: 'document', document: { data: { result: c.id } } }] }))] });
    assert.equal(second.finishReason, 'COMPLETE');
  }
  assert.equal((await ask({ tools: [tool('get_time')], toolChoice: 'REQUIRED', strictTools: true })).message.toolCalls.length, 1);
  assert.equal((await ask({ messages: [user('time')], tools: [tool('get_time')], toolChoice: 'NONE' })).message.toolCalls, undefined);
});

test('thinking, JSON, pictures, logprobs, citations', async () => {
  assert.deepEqual((await ask({ model: thinker })).message.content.map((c) => c.type), ['thinking', 'text']);
  assert.deepEqual((await ask({ model: thinker, thinking: { type: 'disabled' } })).message.content.map((c) => c.type), ['text']);
  const jsonSchema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
  const json = await ask({ responseFormat: { type: 'json_object', jsonSchema } });
  assert.equal(JSON.parse(json.message.content[0].text).city, 'Hello!');
  await ask({ model: 'command-a-vision-07-2025', messages: [user([{ type: 'text', text: 'see' },
    { type: 'image_url', imageUrl: { url: `data:image/png;base64,${png}`, detail: 'low' } }])] });
  const probed = await ask({ logprobs: true });
  assert.deepEqual(probed.logprobs[0].logprobs, [-0.25, -0.25, -0.25, -0.25]);
  const cited = (await ask({ documents: [{ id: 'd', data: { title: 't' } }] })).message.citations[0];
  assert.deepEqual([cited.start, cited.end, cited.text, cited.sources[0].document.title], [0, 8, 'You said', 't']);
});

test('embeddings and reranking', async () => {
  const vectors = await cohere.embed({ model: 'embed-v4.0', texts: ['a', 'b'], inputType: 'search_query', embeddingTypes: ['float', 'int8'], outputDimension: 256 });
  assert.deepEqual([vectors.embeddings.float.length, vectors.embeddings.float[0].length, vectors.embeddings.int8.length], [2, 256, 2]);
  assert.equal(vectors.meta.billedUnits.inputTokens, 2);
  const ranks = await cohere.rerank({ model: 'rerank-v3.5', query: 'red apple', documents: ['a pear', 'a red apple', 'an apple'], topN: 2 });
  assert.deepEqual([ranks.results.map((r) => r.index), ranks.meta.billedUnits.searchUnits], [[1, 2], 1]);
});

test('refusals have the shape of the API', async () => {
  const unknown = await failure(ask({ model: 'command-x' }));
  assert.ok(unknown instanceof CohereError);
  assert.equal(unknown.statusCode, 404);
  assert.equal((await failure(client('wrong').chat({ model, messages: [user('x')] }))).statusCode, 401);
  assert.equal((await failure(ask({ messages: [user('sim:fault=status:429')] }))).statusCode, 429);
  await refused({ n: 2 }, "'n' is not a valid field", 422);
  await refused({ p: 1 }, "'p' has an invalid value");
  await refused({ thinking: { type: 'enabled' } }, 'thinking is not supported');
  await refused({ tools: [tool('f')], response_format: { type: 'json_object' } }, 'not supported beside tools');
  await refused({ tool_choice: 'REQUIRED' }, 'need tools');
  await refused({ messages: [user('x'), { role: 'assistant', content: 'y' }] }, 'the last message');
  await refused({ messages: [user('x'), { role: 'tool', tool_call_id: 'a', content: 'y' }] }, 'must follow an assistant message');
  await refused({ messages: [user('x'), { role: 'assistant', tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] }, user('y')] },
    'must be followed by its tool message');
  await refused({ messages: [user([{ type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } }])] }, 'does not support image inputs');
  await refused({ model: 'command-a-vision-07-2025', messages: [user([{ type: 'image_url', image_url: { url: `data:image/jpeg;base64,${png}` } }])] }, 'not of its type');
  assert.equal((await post('/v2/rerank', { model: 'rerank-v3.5', query: 'q', documents: [{ text: 'a' }] })).status, 400);
});

test('an error inside a stream is its end', async () => {
  const end = put(await stream({ messages: [user('a long text sim:fault=error-event:1')] }));
  assert.deepEqual([end.reason, end.error], ['ERROR', 'The model broke off.']);
});
