// clients_langchain.mjs: LangChain for JavaScript from npm, unpatched: ChatOpenAI (chat and Responses API), ChatAnthropic and
// OpenAIEmbeddings, each at a provider of each dialect: messages, streams with usage, tools in an agent, structured output.
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';

import { ChatAnthropic } from '@langchain/anthropic';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { createAgent } from 'langchain';
import { z } from 'zod';

import { baseURL, integrate, provider, sim, stack } from './suite.mjs';

const apiKey = stack.workspace_key;
const gpt = `${provider}/gpt-4o`;
const claude = '@claude/claude-sonnet-4-5';
const configuration = { baseURL };
const homes = [
  ['ChatOpenAI', (model) => new ChatOpenAI({ model, apiKey, configuration, maxRetries: 0 }), '/v1/chat/completions'],
  ['ChatOpenAI, Responses API', (model) => new ChatOpenAI({ model, apiKey, configuration, maxRetries: 0, useResponsesApi: true }), '/v1/responses'],
  ['ChatAnthropic', (model) => new ChatAnthropic({ model, apiKey, anthropicApiUrl: stack.gateway_url, maxTokens: 200, maxRetries: 0 }),
    '/v1/chat/completions'],
];
const place = z.object({ city: z.string(), days: z.number().int().min(3) });
const weather = tool(async ({ days }) => `sun for ${days} days`, { name: 'get_weather', description: 'Weather of a city', schema: place });
const words = (message) => message.text ?? message.content;

before(() => integrate('claude', 'anthropic'));
beforeEach(() => sim.reset());

for (const [name, of, path] of homes)
  for (const id of [gpt, claude]) {
    const model = of(id);
    const at = `${name} at ${id}`;

    test(`${at}: a message, and a stream with its usage`, async () => {
      const message = await model.invoke('Hello!');
      assert.equal(words(message), 'You said: Hello!');
      assert.ok(message.usage_metadata.total_tokens > 0);
      let whole;
      for await (const chunk of await model.stream('Hello!')) whole = whole ? whole.concat(chunk) : chunk;
      assert.equal(words(whole), 'You said: Hello!');
      // ChatAnthropic adds up message_start and message_delta, and reads the input from the first alone: Anthropic's one token of output
      // at the start counts twice there, and the input of a provider who tells it at the end is 0.
      const { input_tokens: input, output_tokens: output } = message.usage_metadata;
      const streamed = name !== 'ChatAnthropic' ? [input, output] : id === gpt ? [0, output] : [input, output + 1];
      assert.deepEqual([whole.usage_metadata.input_tokens, whole.usage_metadata.output_tokens], streamed);
      assert.deepEqual([...new Set((await sim.records()).map((r) => r.path))], [id === gpt ? path : '/v1/messages']);
    });

    test(`${at}: a tool call, its result, and an agent that does both`, async () => {
      const bound = model.bindTools([weather]);
      const asked = new HumanMessage('weather please');
      const call = await bound.invoke([asked]);
      assert.deepEqual(call.tool_calls.map((c) => [c.name, c.args.days]), [['get_weather', 3]]);
      const answer = await bound.invoke([asked, call, new ToolMessage({ content: 'rain', tool_call_id: call.tool_calls[0].id })]);
      assert.equal(words(answer), 'You said: rain');
      const agent = createAgent({ model, tools: [weather] });
      const { messages } = await agent.invoke({ messages: [{ role: 'user', content: 'weather please' }] });
      assert.deepEqual(messages.map((m) => m.type), ['human', 'ai', 'tool', 'ai']);
      assert.equal(words(messages.at(-1)), 'You said: sun for 3 days');
    });

    test(`${at}: structured output`, async () => {
      const found = await model.withStructuredOutput(place, { name: 'place' }).invoke('a place');
      assert.deepEqual([typeof found.city, found.days], ['string', 3]);
    });
  }

test('OpenAIEmbeddings with its defaults', async () => {
  const embeddings = new OpenAIEmbeddings({ model: `${provider}/text-embedding-3-small`, apiKey, configuration, maxRetries: 0 });
  const vectors = await embeddings.embedDocuments(['one', 'two']);
  assert.deepEqual(vectors.map((v) => v.length), [1536, 1536]);
  assert.notDeepEqual(vectors[0], vectors[1]);
});
