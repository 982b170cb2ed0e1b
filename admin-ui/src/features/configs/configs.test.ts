import { expect, test } from 'vitest';
import { lineOf, locate, stepsOf } from './locate';
import { planOf, queryWords } from './plan';
import { TEMPLATES } from './templates';

const DOC = `{
  "strategy": {"mode": "loadbalance"},
  "targets": [
    {"provider": "@a", "weight": 3},
    {"name": "x \\"y\\"", "overrideParams": {"model": "@b/m"}, "weight": 1}
  ]
}`;

test('the place of a path', () => {
  const at = (path: string) => DOC.slice(...locate(DOC, path));
  expect(at('config.targets[0].weight')).toBe('"weight": 3');
  expect(at('config.targets[1].override_params.model')).toBe('"model": "@b/m"');
  expect(at('config.strategy.mode')).toBe('"mode": "loadbalance"');
  expect(at('config.targets[1]')).toMatch(/^\{"name".*"weight": 1\}$/);
  expect(at('config.targets[0].retry')).toBe('{"provider": "@a", "weight": 3}');
  expect(at('config')).toBe(DOC);
  expect(lineOf(DOC, locate(DOC, 'config.targets[1].weight')[0])).toBe(5);
  expect(stepsOf('config.targets[12].a')).toEqual(['targets', 12, 'a']);
});

test('weights as shares', () => {
  const plan = planOf(DOC);
  expect(plan?.mode).toBe('Shared out by weight');
  expect(plan?.targets.map((one) => [one.title, one.reached])).toEqual([
    ['@a', '75 %'],
    ['x "y": @b/m', '25 %'],
  ]);
});

test('conditions as sentences', () => {
  expect(queryWords({ 'metadata.tier': 'gold' })).toBe('metadata.tier = "gold"');
  expect(queryWords({ $or: [{ 'params.n': { $gt: 1, $lte: 3 } }, { 'url.pathname': { $regex: '^/v1' } }] })).toBe(
    '(params.n > 1 and params.n ≤ 3 or url.pathname matches "^/v1")',
  );
  expect(queryWords({})).toBe('always');
});

test('a fallback, nested, with what holds on the way', () => {
  const plan = planOf(
    JSON.stringify({
      strategy: { mode: 'fallback', on_status_codes: [429, 503] },
      retry: { attempts: 2 },
      cache: { mode: 'simple' },
      targets: [
        { provider: '@a' },
        {
          strategy: { mode: 'conditional', conditions: [{ query: { 'metadata.x': 1 }, then: 'b' }], default: 'c' },
          targets: [{ name: 'b' }, { name: 'c' }, { name: 'd' }],
        },
      ],
    }),
  );
  expect(plan?.notes).toEqual(['tries again up to 2 times', 'cache: simple']);
  expect(plan?.targets.map((one) => one.reached)).toEqual(['first', 'if that answers 429, 503']);
  expect(plan?.targets[1]?.targets.map((one) => one.reached)).toEqual(['if metadata.x = 1', 'otherwise', 'never']);
});

test('what is no object has no drawing', () => {
  expect(planOf('{"a":')).toBeUndefined();
  expect(planOf('[]')).toBeUndefined();
  expect(planOf('{}')?.title).toBe('A request');
});

test.each(TEMPLATES)('the template $label can be drawn', ({ document }) => {
  expect(planOf(document('@a/x', '@b/y'))).toBeDefined();
});
