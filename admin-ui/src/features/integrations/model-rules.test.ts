import { expect, test } from 'vitest';
import type { IntegrationModel, IntegrationModels } from '~/api/types';
import { accessRows, portions, withAccess } from './access';
import {
  checkPrices,
  clearAll,
  modelRows,
  pinned,
  priceOf,
  setModels,
  setNew,
  toPriceForm,
  toPricing,
  withChange,
} from './model-rules';

const model = (slug: string, enabled: boolean, more: Partial<IntegrationModel> = {}): IntegrationModel => ({
  slug,
  name: slug,
  enabled,
  is_custom: false,
  is_finetune: false,
  ...more,
});
const list = (allow: boolean, ...models: IntegrationModel[]): IntegrationModels => ({
  total: models.length,
  allow_all_models: allow,
  models,
});
const on = (now: IntegrationModels) => now.models.filter((one) => one.enabled).map((one) => one.slug);

test('clear all turns off what is on and what is to come', () => {
  const now = list(true, model('a', true), model('b', false), model('c', true));
  const change = clearAll(now);
  expect(change).toEqual({
    models: [
      { slug: 'a', enabled: false },
      { slug: 'c', enabled: false },
    ],
    allow_all_models: false,
  });
  expect(on(withChange(now, change))).toEqual([]);
});

test('the word about new models changes nothing that is there', () => {
  const now = list(true, model('a', true), model('b', false));
  expect(setNew(now, false)).toEqual({ models: [{ slug: 'a', enabled: true }], allow_all_models: false });
  expect(setNew(list(false, model('a', true), model('b', false)), true)).toEqual({
    models: [{ slug: 'b', enabled: false }],
    allow_all_models: true,
  });
  expect(on(withChange(now, setNew(now, false)))).toEqual(['a']);
});

test('a change that turns the word keeps the others where they are', () => {
  const now = list(true, model('a', true), model('b', true));
  expect(pinned(now, { models: [{ slug: 'a', enabled: false }], allow_all_models: false }).models).toEqual([
    { slug: 'a', enabled: false },
    { slug: 'b', enabled: true },
  ]);
  expect(pinned(now, setModels(['a'], false))).toEqual(setModels(['a'], false));
});

test('prices are dollars per million in the form and cents per token on the wire', () => {
  const wire = {
    type: 'static' as const,
    pay_as_you_go: { request_token: { price: 0.00025 }, response_token: { price: 0.001 }, image: { price: 4 } },
  };
  expect(toPriceForm(wire)).toEqual({ input: '2.5', output: '10', cached: '' });
  expect(toPricing({ input: '2.5', output: '10', cached: '' }, wire)).toEqual(wire);
  expect(toPricing({ input: '0.075', output: '', cached: '0' }, null)).toEqual({
    type: 'static',
    pay_as_you_go: { request_token: { price: 0.0000075 }, cache_read_input_token: { price: 0 } },
  });
  expect(
    toPricing({ input: '', output: '', cached: '' }, { type: 'static', pay_as_you_go: { request_token: { price: 1 } } }),
  ).toBeNull();
  expect(toPriceForm({ pay_as_you_go: { request_token: { price: 1e-7 } } }).input).toBe('0.001');
  expect(checkPrices({ input: 'x', output: '-1', cached: ' ' })).toEqual({
    input: 'must be a number of 0 or more',
    output: 'must be a number of 0 or more',
  });
});

test('a row has its own price, else the catalog’s, else none', () => {
  const catalog = [{ slug: 'a', name: 'A', prices_picousd: { input_token: 2_500_000 } }];
  const [a, custom, other] = modelRows(
    list(
      true,
      model('a', true),
      model('mine', true, { base_model_slug: 'a', pricing_config: { pay_as_you_go: { request_token: { price: 0.0001 } } } }),
      model('x', true),
    ),
    catalog,
  );
  expect(a && priceOf(a, 'input')).toEqual({ text: '2.5', own: false });
  expect(a && priceOf(a, 'output')).toBeUndefined();
  expect(custom && priceOf(custom, 'input')).toEqual({ text: '1', own: true });
  expect(custom?.known?.name).toBe('A');
  expect(other && priceOf(other, 'input')).toBeUndefined();
});

test('every workspace has a row, with access or without', () => {
  const workspace = (id: string) =>
    ({ id, slug: `ws-${id}`, name: id.toUpperCase() }) as Parameters<typeof accessRows>[0][number];
  const access = {
    total: 1,
    workspaces: [
      {
        id: 'ws-a',
        workspace_id: 'a',
        name: 'A',
        enabled: true,
        usage_limits: [{ credit_limit: 10 }],
        rate_limits: null,
        limit_status: 'active' as const,
        usage: [],
      },
    ],
    global_workspace_access: { enabled: false, usage_limits: null, rate_limits: null },
  };
  const rows = accessRows([workspace('a'), workspace('b')], access);
  expect(rows.map((row) => [row.id, row.enabled, row.usage_limits])).toEqual([
    ['a', true, [{ credit_limit: 10 }]],
    ['b', false, null],
  ]);
  const next = withAccess(
    access,
    [
      { id: 'b', enabled: true },
      { id: 'a', enabled: false },
    ],
    () => 'B',
  );
  expect(next.workspaces.map((row) => [row.workspace_id, row.enabled, row.usage_limits])).toEqual([
    ['a', false, [{ credit_limit: 10 }]],
    ['b', true, null],
  ]);
  expect(access.workspaces[0]?.enabled, 'what was there is not touched').toBe(true);
});

test('portions', () => {
  expect(portions([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(portions([], 2)).toEqual([]);
});
