import { expect, test } from 'vitest';
import { ago, count, ms, perMillion, perUnit, plural, short, usd } from './format';

test('short sizes', () => {
  expect([999, 1000, 8192, 128_000, 1_048_576, 2_000_000].map(short)).toEqual(['999', '1K', '8.19K', '128K', '1.05M', '2M']);
});

test('dollars keep what is there and pad cents', () => {
  expect(['0', '10', '2.5', '0.15', '0.000075', '1234567.5', '-3'].map(usd)).toEqual([
    '$0',
    '$10',
    '$2.50',
    '$0.15',
    '$0.000075',
    '$1,234,567.50',
    '−$3',
  ]);
});

test('unit prices, exactly', () => {
  expect(perMillion(2_500_000)).toBe('$2.50');
  expect(perMillion(75_000)).toBe('$0.075');
  expect(perMillion(1)).toBe('$0.000001');
  expect(perUnit(40_000_000_000)).toBe('$0.04');
});

test('counts and plurals', () => {
  expect(count(1234567)).toBe('1,234,567');
  expect([plural(1, 'model'), plural(0, 'model'), plural(2, 'policy', 'policies')]).toEqual([
    '1 model',
    '0 models',
    '2 policies',
  ]);
});

test('times apart', () => {
  const now = Date.parse('2026-03-09T12:00:00Z');
  expect(ago('2026-03-09T11:59:30Z', now)).toBe('just now');
  expect(ago('2026-03-09T09:00:00Z', now)).toBe('3 hours ago');
  expect(ago('2026-03-11T13:00:00Z', now)).toBe('in 2 days');
});

test('durations', () => {
  expect([ms(12.4), ms(999), ms(1234), ms(65_000)]).toEqual(['12 ms', '999 ms', '1.23 s', '65.0 s']);
});
