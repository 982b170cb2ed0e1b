// dialect_responses.mjs: the official openai package's Responses API at a provider without it: every streaming event in its order, items
// sent back over turns, thinking with its proof, schemas; and what is refused because nobody stores it.
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';

import OpenAI from 'openai';

import { baseURL, collect, failure, integrate, pdf, png, provider, received, sim, stack } from './suite.mjs';

const client = new OpenAI({ apiKey: stack.workspace_key, baseURL, maxRetries: 0 });
const model = '@claude/claude-sonnet-4-5';
const schema = { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 3 } },
  required: ['city', 'days'], additionalProperties: false };
const tools = ['get_weather', 'get_time'].map((name) => ({ type: 'function', name, parameters: schema, strict: true }));
const create = (more) => client.responses.create({ model, input: 'Hello!', ...more });
const kinds = (events) => events.map((e) => e.type).filter((type, i, all) => type !== all[i - 1]);

before(() => integrate('claude', 'anthropic'));
beforeEach(() => sim.reset());

test('a response', async () => {
  const reply = await create({ instructions: 'Be brief.', metadata: { a: 'b' }, max_output_tokens: 100, tools, tool_choice: 'none' });
  assert.deepEqual([reply.object, reply.status, reply.output_text, reply.store, reply.error], ['response', 'completed', 'You said: Hello!', false, null]);
  assert.deepEqual([reply.instructions, reply.metadata, reply.max_output_tokens, reply.tools, reply.tool_choice],
    ['Be brief.', { a: 'b' }, 100, tools, 'none']);
  const record = await received();
  assert.deepEqual([reply.usage.input_tokens, reply.usage.output_tokens], [record.prompt_tokens, record.completion_tokens]);
});

test('the events of thinking, words and calls, in order and numbered', async () => {
  const events = await collect(await create({ stream: true, tools, reasoning: { effort: 'high' },
    input: 'sim:fault=preface weather and time please' }));
  assert.deepEqual(events.map((e) => e.sequence_number), events.map((_, i) => i));
  const call = ['response.output_item.added', 'response.function_call_arguments.delta', 'response.function_call_arguments.done',
    'response.output_item.done'];
  assert.deepEqual(kinds(events), ['response.created', 'response.in_progress',
    'response.output_item.added', 'response.reasoning_summary_part.added', 'response.reasoning_summary_text.delta',
    'response.reasoning_summary_text.done', 'response.reasoning_summary_part.done', 'response.output_item.done',
    'response.output_item.added', 'response.content_part.added', 'response.output_text.delta', 'response.output_text.done',
    'response.content_part.done', 'response.output_item.done', ...call, ...call, 'response.completed']);
  const { response } = events.at(-1);
  assert.deepEqual(response.output.map((item) => item.type), ['reasoning', 'message', 'function_call', 'function_call']);
  assert.deepEqual(events.filter((e) => e.type === 'response.output_item.done').map((e) => e.item), response.output);
  assert.ok(response.output[0].encrypted_content.startsWith('anthropic-claude-v1.text.'));
  const whole = await create({ tools, reasoning: { effort: 'high' }, input: 'sim:fault=preface weather and time please' });
  const bare = (items) => items.map(({ id, call_id, encrypted_content, ...rest }) => rest);
  assert.deepEqual(bare(whole.output), bare(response.output));
});

test('a talk of three turns, its items sent back as they came', async () => {
  const input = [{ role: 'user', content: 'weather and time please' }];
  const first = await create({ input, tools, reasoning: { effort: 'high' } });
  input.push(...first.output);
  for (const item of first.output.filter((i) => i.type === 'function_call'))
    input.push({ type: 'function_call_output', call_id: item.call_id, output: `result of ${item.name}` });
  const second = await create({ input, tools, reasoning: { effort: 'high' }, include: ['reasoning.encrypted_content'] });
  assert.equal(second.output.at(-1).type, 'message');
  input.push(...second.output, { role: 'user', content: [{ type: 'input_text', text: 'once more' }, { type: 'input_image', detail: 'auto',
    image_url: `data:image/png;base64,${png}` }, { type: 'input_file', filename: 'a.pdf', file_data: `data:application/pdf;base64,${pdf}` }] });
  assert.equal((await create({ input, tools, reasoning: { effort: 'high' } })).status, 'completed');
  const turns = (await received()).json.messages;
  assert.deepEqual(turns.map((m) => `${m.role}: ${m.content.map((b) => b.type)}`), ['user: text', 'assistant: thinking,tool_use,tool_use',
    'user: tool_result,tool_result', 'assistant: thinking,text', 'user: text,image,document']);
});

test('an answer by a schema', async () => {
  const text = { format: { type: 'json_schema', name: 'place', strict: true, schema } };
  assert.deepEqual(JSON.parse((await create({ text })).output_text), { city: 'Hello!', days: 3 });
  const final = await client.responses.stream({ model, input: 'Hello!', text }).finalResponse();
  assert.deepEqual(final.output_parsed ?? JSON.parse(final.output_text), { city: 'Hello!', days: 3 });
});

test('limits and refusals of the model', async () => {
  const short = await create({ max_output_tokens: 2 });
  assert.deepEqual([short.status, short.incomplete_details], ['incomplete', { reason: 'max_output_tokens' }]);
  const refused = await create({ input: 'sim:fault=refuse no' });
  assert.deepEqual([refused.status, refused.output[0].content.at(-1).type], ['completed', 'refusal']);
});

test('what nobody stores or runs is refused with what to send instead', async () => {
  const rows = [[{ previous_response_id: 'resp_1' }, /Send the earlier items in input/], [{ conversation: 'conv_1' }, /Send the earlier items/],
    [{ background: true }, /stream it/], [{ prompt: { id: 'pmpt_1' } }, /instructions and input/],
    [{ tools: [{ type: 'code_interpreter', container: { type: 'auto' } }] }, /tools\[0\]: .*code_interpreter/],
    [{ input: [{ type: 'item_reference', id: 'msg_1' }] }, /Send the items themselves/]];
  for (const [more, words] of rows) {
    const error = await failure(create(more));
    assert.equal(error.status, 400, JSON.stringify(more));
    assert.match(error.message, words);
  }
  assert.deepEqual(await sim.records(), []);
  const { data, response } = await create({ store: true, truncation: 'auto' }).withResponse();
  assert.equal(response.headers.get('x-sluice-dropped-params'), 'store, truncation');
  const gone = await failure(client.responses.retrieve(data.id, {}, { headers: { 'x-portkey-provider': '@claude' } }));
  assert.match(gone.message, /does not offer the operation "responses_get"/);
});

test('errors in front of words are HTTP errors, later ones are events', async () => {
  for (const stream of [false, true])
    assert.equal((await failure(create({ stream, input: 'sim:fault=status:529' }))).status, 529);
  const events = await collect(await create({ stream: true, input: 'sim:fault=error-event:2 some words' }));
  assert.deepEqual(kinds(events).slice(-2), ['error', 'response.failed']);
  for (const fault of ['truncate:2', 'reset-after:2']) {
    const seen = [];
    await failure((async () => {
      for await (const event of await create({ stream: true, input: `sim:fault=${fault} some words` })) seen.push(event.type);
    })());
    assert.ok(!seen.includes('response.completed') && seen.includes('response.failed'), `${fault}: ${seen}`);
  }
});

test('a provider with the API is asked as it is', async () => {
  const reply = await client.responses.create({ model: `${provider}/gpt-4o`, input: 'Hello!' });
  assert.equal((await received()).path, '/v1/responses');
  assert.equal((await client.responses.retrieve(reply.id, {}, { headers: { 'x-portkey-provider': provider } })).id, reply.id);
});
