import { expect, test } from 'vitest';
import { addressOf } from './links';

test('links of invites and of forgotten passwords', () => {
  expect(addressOf('#/invite?token=slt_abc')).toBe('/invite#slt_abc');
  expect(addressOf('#/reset?token=slt_abc')).toBe('/reset#slt_abc');
  expect(addressOf('#main')).toBeUndefined();
  expect(addressOf('#/models?token=x')).toBeUndefined();
});
