import { expect, test } from 'vitest';
import { ApiError } from '~/api/errors';
import { bodyOf, costOf, readChunk } from './chat';

test('a request holds what was set and nothing else', () => {
  const turns = [{ role: 'user' as const, text: 'Hi' }];
  expect(bodyOf('@a/b', turns, { system: ' ', temperature: '', maxTokens: '' })).toEqual({
    model: '@a/b',
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: 'user', content: 'Hi' }],
  });
  expect(bodyOf('@a/b', turns, { system: 'Be brief.', temperature: '0', maxTokens: '64' })).toMatchObject({
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
    ],
    temperature: 0,
    max_tokens: 64,
  });
});

test('events of a stream', () => {
  expect(readChunk('{"choices":[{"delta":{"role":"assistant","content":""}}]}')).toEqual({ text: '' });
  expect(readChunk('{"choices":[{"delta":{"content":"Hel"}}],"usage":null}')).toEqual({ text: 'Hel' });
  expect(
    readChunk('{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":2}}}'),
  ).toEqual({
    text: '',
    usage: { input: 5, output: 7, cached: 2 },
  });
  expect(() => readChunk('{"error":{"message":"overloaded","code":"x"}}')).toThrow(ApiError);
});

test('cost by the catalog, rounded up once', () => {
  const prices = { input_token: 2_500_000, output_token: 10_000_000, cache_read_token: 1_250_000 };
  expect(costOf({ input: 1000, output: 100, cached: 0 }, prices)).toBe(3_500_000);
  expect(costOf({ input: 1000, output: 0, cached: 400 }, prices)).toBe(2_000_000);
  expect(costOf({ input: 1, output: 0, cached: 0 }, { input_token: 1 }), 'a part of a nano-dollar').toBe(1);
  expect(costOf({ input: 1, output: 1, cached: 0 }, { input_token: 1 })).toBeUndefined();
  expect(costOf({ input: 1, output: 1, cached: 0 }, undefined)).toBeUndefined();
});
