import { expect, test } from 'vitest';
import type { LimitUsage } from '~/api/types';
import { amountWords, nameOf, shareWords, tightest } from './figures';

const row = (change: Partial<LimitUsage>): LimitUsage => ({
  type: 'cost',
  limit: 10,
  used: 3.2,
  outstanding: 0,
  remaining: 6.8,
  status: 'active',
  mode: 'standard',
  ...change,
});

test('in words', () => {
  expect(shareWords(row({}))).toBe('$3.20 of $10');
  expect(amountWords(row({}), 0.000125)).toBe('$0.000125');
  expect(shareWords(row({ type: 'tokens', used: 1200, limit: 50000 }))).toBe('1,200 of 50,000');
  expect(nameOf(row({ type: 'requests', unit: 'rpm' }))).toBe('Requests / minute');
  expect(nameOf(row({ type: 'concurrency' }))).toBe('Requests at once');
  expect(nameOf(row({}))).toBe('Cost');
});

test('the tightest is a budget, by its share', () => {
  const tight = row({ type: 'tokens', limit: 100, used: 90 });
  expect(tightest([row({}), tight, row({ type: 'requests', unit: 'rpm', limit: 1, used: 1 })])).toBe(tight);
  expect(tightest([row({}), row({ limit: 0, used: 0 })])?.limit).toBe(0);
  expect(tightest([])).toBeUndefined();
});
