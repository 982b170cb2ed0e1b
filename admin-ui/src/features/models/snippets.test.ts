import { execFileSync } from 'node:child_process';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { q, s, sh, type SnippetTarget } from './snippet-parts';
import { snippetsOf } from './snippets';

const target = (more: Partial<SnippetTarget> = {}): SnippetTarget => ({
  gateway: 'http://127.0.0.1:8787',
  provider: 'openai-prod',
  model: 'gpt-4o',
  kind: 'openai',
  type: 'chat',
  input: ['text'],
  output: ['text'],
  units: [],
  ...more,
});

/** The words that curl would get. */
const curlWords = (code: string): string[] =>
  execFileSync('bash', ['-c', `curl() { printf '%s\\0' "$@"; }\n${code}`], {
    env: { ...process.env, SLUICE_API_KEY: 'slk_test' },
  })
    .toString()
    .split('\0')
    .slice(0, -1);

const after = (words: string[], flag: string): string[] => words.filter((_, i) => words[i - 1] === flag);

test('every example of the documentation has its counterpart', () => {
  const all = snippetsOf(target()).map((one) => `${one.way}/${one.id}`);
  for (const way of ['model', 'header'])
    for (const id of ['portkey-js', 'portkey-python', 'openai-python', 'openai-js', 'curl'])
      expect(all).toContain(`${way}/${id}`);
  for (const id of ['config-model', 'config-provider', 'config-virtual-key']) expect(all).toContain(`config/${id}`);
  for (const id of ['ai-sdk', 'langchain-python', 'langchain-js', 'environment']) expect(all).toContain(`model/${id}`);
});

test("a provider that has its own SDK shows it, the others' do not", () => {
  const ids = (kind: string) => snippetsOf(target({ kind })).map((one) => one.id);
  expect(ids('anthropic')).toEqual(expect.arrayContaining(['anthropic-python', 'anthropic-js', 'claude-code']));
  expect(ids('openai')).not.toContain('anthropic-python');
});

test('a snippet names the model, the gateway and the variable of the key, and nothing is left open', () => {
  for (const type of ['chat', 'embedding', 'image', 'audio', 'completion', 'moderation', 'rerank'] as const)
    for (const one of snippetsOf(target({ type }))) {
      expect(one.code, `${type} ${one.id}`).not.toMatch(/undefined|\$\{|PORTKEY_API_KEY"/);
      expect(one.code, `${type} ${one.id}`).toMatch(/gpt-4o|virtual_key/);
      if (one.language !== 'json') expect(one.code, `${type} ${one.id}`).toContain('http://127.0.0.1:8787');
      if (one.language !== 'json') expect(one.code, `${type} ${one.id}`).toContain('SLUICE_API_KEY');
      if (one.language === 'json') expect(() => void JSON.parse(one.code)).not.toThrow();
    }
});

test.each([
  ['gpt-4o-transcribe', [], [], ['audio_input_second', 'input_token'], '/audio/transcriptions'],
  ['whisper', [], [], [], '/audio/transcriptions'],
  ['qwen3-asr-flash', ['audio'], ['text'], [], '/audio/transcriptions'],
  ['tts-1', [], [], ['input_character'], '/audio/speech'],
  ['gpt-4o-mini-tts', [], [], ['audio_output_second', 'input_token'], '/audio/speech'],
  ['orpheus', ['text'], ['audio'], [], '/audio/speech'],
  ['gpt-audio-mini', [], [], ['audio_input_token', 'audio_output_token', 'output_token'], '/chat/completions'],
])('%s: the call that fits an audio model', (model, input, output, units, path) => {
  expect(snippetsOf(target({ type: 'audio', model, input, output, units }))[0]?.code).toContain(path);
});

test('what no client can show has none', () => expect(snippetsOf(target({ type: 'realtime' }))).toEqual([]));

test('curl gets one URL, the key and a body that is JSON', () => {
  for (const one of snippetsOf(target()).filter((snippet) => snippet.id === 'curl')) {
    const words = curlWords(one.code);
    expect(words[0]).toBe('http://127.0.0.1:8787/v1/chat/completions');
    expect(after(words, '-H')).toContain('Authorization: Bearer slk_test');
    const body = JSON.parse(after(words, '-d')[0] ?? '') as { model?: string };
    expect(body.model).toBe(one.way === 'model' ? '@openai-prod/gpt-4o' : one.way === 'header' ? 'gpt-4o' : undefined);
    const config = after(words, '-H').find((header) => header.startsWith('x-portkey-config: '));
    if (one.way === 'config') expect(() => void JSON.parse((config ?? '').slice('x-portkey-config: '.length))).not.toThrow();
  }
});

test('a slug with quotes, commands and backslashes stays a text', () => {
  const model = 'x\'"$(touch${IFS}/tmp/no)`id`\\n;#';
  for (const one of snippetsOf(target({ model })).filter((snippet) => snippet.id === 'curl')) {
    const words = curlWords(one.code);
    expect(words[0]).toBe('http://127.0.0.1:8787/v1/chat/completions');
    const body = after(words, '-d')[0] ?? '';
    if (one.way !== 'config') expect((JSON.parse(body) as { model: string }).model).toContain(model);
  }
  for (const text of [model, 'plain', "it's", 'back\\slash', '\u2028']) {
    expect(JSON.parse(q(text))).toBe(text);
    expect(runInNewContext(s(text))).toBe(text);
    expect(execFileSync('bash', ['-c', `printf %s ${sh(text)}`]).toString()).toBe(text);
  }
});
