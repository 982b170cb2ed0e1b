import { describe, expect, test } from 'vitest';
import { grouped, plain, shift } from './decimal';

describe('plain', () => {
  test.each([
    ['0', '0'],
    ['-0', '0'],
    ['007.50', '7.5'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['1e-7', '0.0000001'],
    ['2.5E3', '2500'],
    ['12345678901234567890.12', '12345678901234567890.12'],
  ])('%s is %s', (text, wanted) => expect(plain(text)).toBe(wanted));
  test.each(['', '.', 'x', '1,5', '1e', '--1', '0x1'])('"%s" is no number', (text) => expect(plain(text)).toBeUndefined());
});

describe('shift', () => {
  test.each([
    ['2.5', -4, '0.00025'],
    ['0.15', -4, '0.000015'],
    ['0.00025', 4, '2.5'],
    ['1e-7', 4, '0.001'],
    ['2500000', -6, '2.5'],
    ['75', -6, '0.000075'],
    ['3', 2, '300'],
    ['-1.5', 1, '-15'],
  ])('%s by %i is %s', (text, places, wanted) => expect(shift(text, places)).toBe(wanted));
  test('there and back is the same', () => {
    for (const text of ['0.1', '19.99', '0.000123', '7', '1234.5678']) expect(shift(shift(text, -4) ?? '', 4)).toBe(text);
  });
});

test('groups of three digits', () => {
  expect(grouped('1234567.891')).toBe('1,234,567.891');
  expect(grouped('999')).toBe('999');
});
