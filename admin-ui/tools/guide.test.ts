/* The guide, compared with the product's own tables: what it tells to call, to run and to write exists. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { brokenLinks, guidePages, guideTexts, linksOf, pageOf } from './guide';

const product = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const pages = guidePages();
const texts = guideTexts();
const all = texts.map(({ text }) => text).join('\n');

describe('the parser of the guide', () => {
  it('gives every kind of block as data', () => {
    const page = pageOf(
      'x',
      '# T & U\n\n## A b!\n\nOne `c < d` **e** [f](#a-b).\n\n- g\n  1. h\n\n|i|\n|-|\n|j|\n\n```bash\nk\n```\n\n{{errors}}\n',
    );
    expect(page.title).toBe('T & U');
    expect(page.blocks.map(({ kind }) => kind)).toEqual(['heading', 'paragraph', 'list', 'table', 'code', 'errors']);
    expect(page.blocks[0]).toMatchObject({ id: 'a-b' });
    expect(page.blocks[1]).toMatchObject({
      children: [{ text: 'One ' }, { kind: 'code', text: 'c < d' }, {}, {}, {}, { to: 'x#a-b' }, {}],
    });
    expect(linksOf(page)).toEqual(['x#a-b']);
  });

  it('refuses what it cannot show, and links out of the guide', () => {
    for (const text of [
      'no title',
      '# T\n\n<b>x</b>',
      '# T\n\n![i](i.png)',
      '# T\n\n> q',
      '# T\n\n```perl\n```',
      '# T\n\n[x](https://example.com)',
      '# T\n\n## a\n\n## a',
    ])
      expect(() => pageOf('x', text), text).toThrow();
  });

  it('finds links that lead nowhere', () => {
    expect(brokenLinks([pageOf('x', '# T\n\n- [a](02-y.md)\n- [b](#c)\n- [t](01-x.md)')])).toEqual(['x -> y', 'x -> x#c']);
  });
});

describe('the guide', () => {
  it('has its pages, and every link in it leads somewhere', () => {
    expect(pages.map(({ id }) => id)).toEqual([
      'first-day',
      'providers',
      'sdks',
      'limits',
      'routing',
      'errors',
      'from-portkey',
      'operations',
    ]);
    expect(brokenLinks(pages)).toEqual([]);
    expect(pages.flatMap(linksOf).length).toBeGreaterThan(3);
  });

  it('names calls that the admin API has', () => {
    const routes = [...product('control-plane/routes.def').matchAll(/^(?:ROUTE|ACTION)\((\w+),\s*"([^"]+)"/gm)].map(
      ([, method, path]) => `${method} ${path}`,
    );
    expect(routes.length).toBeGreaterThan(80);
    const told = [...all.matchAll(/`(GET|POST|PUT|DELETE) (\/v1\/[^`]*)`/g)].map(([, method, path]) => `${method} ${path}`);
    expect(told.length).toBeGreaterThan(4);
    expect(told.filter((call) => !routes.includes(call))).toEqual([]);
    const paths = new RegExp(
      `^(?:${routes.map((route) => (route.split(' ')[1] ?? '').replace(/\{\w+\*?\}/g, '[^/]+')).join('|')})$`,
    );
    const run = [...all.matchAll(/\$SLUICE_CONTROL(\/[^"\s]*)/g)].map(([, path]) => path ?? '');
    expect(run.length).toBeGreaterThan(2);
    expect(run.filter((path) => !paths.test(path))).toEqual([]);
  });

  it('names commands, options and words that exist', () => {
    const commands = product('control-plane/cli/cli_table.c');
    for (const [, words = ''] of all.matchAll(/sluicectl ((?:node|ledger|audit|org|admin|inspect) [a-z-]+|[a-z]+)/g))
      expect(commands.includes(words.split(' ').at(-1) ?? ''), words).toBe(true);
    const options = product('control-plane/cli/options.def');
    for (const line of all.split('\n').filter((one) => one.startsWith('sluicectl')))
      for (const [, option = ''] of line.matchAll(/--([a-z-]+)/g)) expect(options, line).toContain(`"${option}"`);
    for (const line of [...all.matchAll(/^sluicectl node add .*|^sluice-gateway .*/gm)]
      .map(([one]) => one)
      .filter((one) => !one.includes('--group')))
      expect(product('deploy/README.md')).toContain(line);
    const words = product('common/limit.def');
    for (const [, word] of all.matchAll(/"(?:type|unit|mode|periodic_reset)": "(\w+)"/g))
      expect(
        words.includes(`"${word}"`) || product('common/route_strategy.c').includes(`"${word}"`) || word === 'simple',
        word,
      ).toBe(true);
    const codes = product('common/status.def');
    for (const [, code] of texts.find(({ id }) => id === 'errors')?.text.matchAll(/`([a-z]+_[a-z_]+)`/g) ?? [])
      expect(codes).toContain(`"${code}"`);
  });

  it('has JSON that is JSON, and routing documents with keys that configs have', () => {
    const keys = product('common/route_keys.def');
    for (const page of pages)
      for (const block of page.blocks) {
        if (block.kind !== 'code' || block.language !== 'json') continue;
        const document = JSON.parse(block.text) as Record<string, unknown>;
        if (page.id === 'routing') for (const key of Object.keys(document)) expect(keys).toContain(`ROUTE_KEY(${key},`);
      }
  });
});
