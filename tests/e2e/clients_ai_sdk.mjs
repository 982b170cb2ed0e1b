// clients_ai_sdk.mjs: the Vercel AI SDK from npm, unpatched: @ai-sdk/openai in its default mode (the Responses API) and as chat,
// @ai-sdk/openai-compatible and @ai-sdk/anthropic, each at a provider of each dialect: text, streams, tools in a loop, objects.
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';

import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, Output, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

import { baseURL, integrate, provider, sim, stack } from './suite.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false;
const apiKey = stack.workspace_key;
const openai = createOpenAI({ apiKey, baseURL });
const compatible = createOpenAICompatible({ name: 'gateway', apiKey, baseURL, includeUsage: true, supportsStructuredOutputs: true });
const anthropic = createAnthropic({ apiKey, baseURL });
const gpt = `${provider}/gpt-4o`;
const claude = '@claude/claude-sonnet-4-5';
const homes = [
  ['openai, default', (id) => openai(id), { [gpt]: '/v1/responses', [claude]: '/v1/messages' }],
  ['openai, chat', (id) => openai.chat(id), { [gpt]: '/v1/chat/completions', [claude]: '/v1/messages' }],
  ['openai-compatible', (id) => compatible(id), { [gpt]: '/v1/chat/completions', [claude]: '/v1/messages' }],
  ['anthropic', (id) => anthropic(id), { [gpt]: '/v1/chat/completions', [claude]: '/v1/messages' }],
];
const place = z.object({ city: z.string(), days: z.number().int().min(1) });
const weather = tool({ description: 'Weather of a city', inputSchema: place, execute: async ({ days }) => `sun for ${days} days` });

before(() => integrate('claude', 'anthropic'));
beforeEach(() => sim.reset());

const paths = async () => [...new Set((await sim.records()).map((r) => r.path))];

for (const [name, of, where] of homes)
  for (const [id, path] of Object.entries(where)) {
    const model = of(id);
    const at = `${name} at ${id}`;

    test(`${at}: text, whole and streamed`, async () => {
      const whole = await generateText({ model, system: 'Be brief.', prompt: 'Hello!', maxOutputTokens: 100, maxRetries: 0 });
      assert.deepEqual([whole.text, whole.finishReason], ['You said: Hello!', 'stop']);
      assert.ok(whole.usage.inputTokens > 0 && whole.usage.outputTokens > 0, JSON.stringify(whole.usage));
      const stream = streamText({ model, prompt: 'Hello!', maxOutputTokens: 100, maxRetries: 0 });
      let text = '';
      for await (const piece of stream.textStream) text += piece;
      assert.deepEqual([text, await stream.finishReason], ['You said: Hello!', 'stop']);
      assert.ok((await stream.usage).outputTokens > 0);
      assert.deepEqual(await paths(), [path]);
    });

    test(`${at}: a tool in a loop, whole and streamed`, async () => {
      const ask = { model, prompt: 'weather please', tools: { get_weather: weather }, stopWhen: stepCountIs(3), maxOutputTokens: 200,
        maxRetries: 0 };
      const whole = await generateText(ask);
      assert.equal(whole.steps.length, 2);
      assert.equal(whole.steps[0].toolCalls[0].toolName, 'get_weather');
      assert.match(whole.text, /^You said: .*sun for \d+ days/);
      const stream = streamText(ask);
      const kinds = new Set();
      for await (const part of stream.fullStream) {
        assert.notEqual(part.type, 'error', JSON.stringify(part));
        kinds.add(part.type);
      }
      assert.ok(kinds.has('tool-call') && kinds.has('tool-result') && kinds.has('text-delta'), [...kinds].join());
      assert.match(await stream.text, /sun for \d+ days/);
    });

    test(`${at}: an object`, async () => {
      const { output } = await generateText({ model, prompt: 'Hello!', output: Output.object({ schema: place }), maxOutputTokens: 200,
        maxRetries: 0 });
      assert.deepEqual(Object.keys(output).sort(), ['city', 'days']);
    });

    test(`${at}: errors, in front of the words and behind them`, async () => {
      const error = await generateText({ model, prompt: 'sim:fault=status:429', maxRetries: 0 }).then(() => null, (e) => e);
      assert.equal(error?.statusCode, 429, `${error}`);
      const stream = streamText({ model, prompt: 'sim:fault=error-event:2 some words', maxRetries: 0, onError: () => {} });
      const kinds = [];
      for await (const part of stream.fullStream) kinds.push(part.type);
      assert.ok(kinds.includes('error'), kinds.join());
    });
  }
