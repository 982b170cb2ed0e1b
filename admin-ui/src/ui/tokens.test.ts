import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SOURCES = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(SOURCES, path), 'utf8');
const sheets = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(
  (path) => path.endsWith('.css') && !path.endsWith('tokens.css'),
);

test('no style sheet has a colour of its own', () => {
  expect(sheets.length).toBeGreaterThan(20);
  for (const path of sheets) expect(read(path).match(/#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch|light-dark)a?\(/gi), path).toBeNull();
});

test('every token that is used is there, and every one there is used', () => {
  const made = new Set([...read('ui/tokens.css').matchAll(/^ {2}(--[\w-]+):/gm)].map((match) => match[1]));
  const all = [...sheets, 'ui/tokens.css'].map(read).join('\n');
  const used = new Set([...all.matchAll(/var\((--[\w-]+)/g)].map((match) => match[1]));
  const given = ['--trigger-width', '--sticky-top']; // by React Aria, by the shell
  expect([...used].filter((name) => name !== undefined && !made.has(name) && !given.includes(name))).toEqual([]);
  expect([...made].filter((name) => !used.has(name))).toEqual([]);
});

test('a class that a component asks for is in its style sheet', () => {
  for (const path of sheets.filter((sheet) => sheet.endsWith('.module.css'))) {
    const classes = new Set([...read(path).matchAll(/\.([A-Za-z][\w]*)/g)].map((match) => match[1]));
    const folder = path.slice(0, path.lastIndexOf('/'));
    const name = path.slice(path.lastIndexOf('/') + 1);
    for (const file of readdirSync(join(SOURCES, folder)).filter((one) => one.endsWith('.tsx'))) {
      const code = read(join(folder, file));
      const imported = new RegExp(`import (\\w+) from '\\./${name.replaceAll('.', '\\.')}'`).exec(code)?.[1];
      if (imported === undefined) continue;
      for (const [, asked] of code.replace(/^import .*$/gm, '').matchAll(new RegExp(`\\b${imported}\\.(\\w+)`, 'g')))
        expect(classes.has(asked), `${file}: ${imported}.${asked}`).toBe(true);
    }
  }
});
