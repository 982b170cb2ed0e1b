import { expect, test } from 'vitest';
import { highlight, type Language } from './highlight';

const kinds = (code: string, language: Language) =>
  highlight(code, language)
    .filter((piece) => piece.kind !== 'plain')
    .map((piece) => [piece.kind, piece.text]);

test('nothing is lost or added', () => {
  const code = 'curl http://x/v1 \\\n  -d \'{"model": "@a/b-4.1", "n": 2}\' # note\n';
  for (const language of ['bash', 'python', 'javascript', 'json', 'env', 'text'] as const)
    expect(
      highlight(code, language)
        .map((piece) => piece.text)
        .join(''),
    ).toBe(code);
});

test('words, texts, numbers, remarks', () => {
  expect(kinds('const a = await f("x", 12); // end', 'javascript')).toEqual([
    ['word', 'const'],
    ['word', 'await'],
    ['text', '"x"'],
    ['number', '12'],
    ['note', '// end'],
  ]);
});

test('a URL is no remark, a part of a name no word', () => {
  expect(kinds('base = https://host; letter = 1', 'javascript')).toEqual([['number', '1']]);
  expect(kinds('important.from_x(fromage)', 'python')).toEqual([]);
});

test('a shell text may run over lines', () => {
  expect(kinds('-d \'{\n  "a": 1\n}\'', 'bash')).toEqual([['text', '\'{\n  "a": 1\n}\'']]);
});
