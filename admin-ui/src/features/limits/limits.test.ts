import { expect, test } from 'vitest';
import type { RateLimit, UsageLimit } from '~/api/types';
import { check, limitsWords, NEW_RATE, NEW_USAGE, toForm, toWire } from './limits';

test('what came goes back unchanged', () => {
  const usage: UsageLimit[] = [
    { type: 'cost', credit_limit: 10, alert_threshold: 8, periodic_reset: 'monthly' },
    { type: 'tokens', credit_limit: 1000000, periodic_reset_days: 7 },
    { type: 'requests', credit_limit: 5 },
  ];
  const rates: RateLimit[] = [
    { type: 'requests', unit: 'rpm', value: 60 },
    { type: 'concurrency', value: 4 },
  ];
  expect(toWire(toForm(usage, rates))).toEqual({ usage_limits: usage, rate_limits: rates });
});

test('members the form does not show stay', () => {
  const usage = {
    type: 'cost',
    credit_limit: 10,
    mode: 'strict',
    on_disconnect: 'deny',
    next_usage_reset_at: '2026-04-01T00:00:00.000Z',
    periodic_reset: 'monthly',
  } as UsageLimit;
  expect(toWire(toForm(usage, null)).usage_limits).toEqual([usage]);
});

test('another period drops the reset that belonged to the old one', () => {
  const form = toForm({ credit_limit: 1, periodic_reset: 'monthly', next_usage_reset_at: '2026-04-01T00:00:00.000Z' }, null);
  const row = form.usage[0] ?? NEW_USAGE;
  expect(toWire({ ...form, usage: [{ ...row, period: 'weekly' }] }).usage_limits).toEqual([
    { type: 'cost', credit_limit: 1, periodic_reset: 'weekly' },
  ]);
});

test('nothing clears', () => expect(toWire({ usage: [], rates: [] })).toEqual({ usage_limits: null, rate_limits: null }));

test('faults are named by their place', () => {
  expect(
    check({
      usage: [
        { ...NEW_USAGE, amount: '' },
        { ...NEW_USAGE, amount: '5', alert: '-1', period: 'days', days: '400' },
      ],
      rates: [{ ...NEW_RATE, value: '1.5' }],
    }),
  ).toEqual({
    'usage.0.amount': 'must be a number of 0 or more',
    'usage.1.alert': 'must be a number of 0 or more',
    'usage.1.days': 'must be 1 to 365',
    'rates.0.value': 'must be a whole number of 0 or more',
  });
  expect(check(toForm({ credit_limit: 12.5 }, { type: 'requests', value: 0 }))).toEqual({});
});

test('in words', () => {
  expect(limitsWords(null, [])).toBeUndefined();
  expect(limitsWords({ credit_limit: 10, periodic_reset: 'monthly' }, [{ type: 'requests', unit: 'rph', value: 1000 }])).toBe(
    '$10 / month · 1,000 requests / hour',
  );
  expect(limitsWords([{ type: 'tokens', credit_limit: 5000, periodic_reset_days: 3 }], [{ type: 'concurrency', value: 2 }])).toBe(
    '5,000 tokens / 3 days · 2 at once',
  );
});
