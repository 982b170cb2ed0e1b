import { expect, test } from 'vitest';
import type { Usage, UsageRow } from '~/api/types';
import { barsOf, breakdownsOf, chartWords, errorRate, money, rangeOf, ranked, startOf } from './usage';

const NOW = Date.parse('2026-11-28T17:53:36.000Z');

const row = (change: Partial<UsageRow>): UsageRow => ({
  requests: 10,
  errors: 1,
  unpriced_requests: 0,
  estimated_requests: 0,
  input_tokens: 100,
  output_tokens: 50,
  cached_tokens: 0,
  cost_usd: 0.5,
  charge_usd: 0.5,
  ...change,
});

const usage = (data: UsageRow[]): Usage => ({ group_by: 'day', from: '', to: '', data, totals: row({}) });

test('a range begins with a whole bar and ends with the one that runs', () => {
  expect(new Date(startOf(rangeOf('7d'), NOW)).toISOString()).toBe('2026-11-22T00:00:00.000Z');
  expect(new Date(startOf(rangeOf('24h'), NOW)).toISOString()).toBe('2026-11-27T18:00:00.000Z');
  expect(rangeOf('nonsense').id).toBe('30d');
});

test('days without use are bars of nothing', () => {
  const range = rangeOf('7d');
  const bars = barsOf(
    usage([row({ day: '2026-11-28T00:00:00.000Z' }), row({ day: '2026-11-23T00:00:00.000Z' })]),
    range,
    'tokens',
    NOW,
  );
  expect(bars.values).toEqual([0, 150, 0, 0, 0, 0, 150]);
  expect(chartWords(range, 'tokens', bars.values)).toBe('Tokens by day: used in 2 days of 7, at most 150');
});

test('money for the eye', () => {
  expect(money(0)).toBe('$0');
  expect(money(1234.5)).toBe('$1,234.50');
  expect(money(0.00000375)).toBe('$0.00000375');
  expect(money(0.123456)).toBe('$0.1235');
});

test('rows', () => {
  expect(errorRate(row({}))).toBe('10 %');
  expect(errorRate(row({ requests: 0, errors: 0 }))).toBe('0 %');
  expect(ranked([row({ model: 'a' }), row({ model: 'b', cost_usd: 2 })], 'cost').map((one) => one.model)).toEqual(['b', 'a']);
  expect(breakdownsOf(false).map((one) => one.id)).toEqual(['provider', 'model', 'key', 'user']);
});
