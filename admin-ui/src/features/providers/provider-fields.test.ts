import { expect, test } from 'vitest';
import { ApiError } from '~/api/errors';
import type { Provider } from '~/api/types';
import { fromLocal, toLocal } from '~/lib/local-time';
import { bodyOf, checkForm, formOf, placeOf } from './provider-fields';

const ROW: Provider = {
  id: '1',
  slug: 'a',
  name: 'A',
  note: 'n',
  status: 'active',
  limit_status: 'active',
  usage: [],
  workspace_id: 'w',
  usage_limits: { type: 'cost', credit_limit: 10, periodic_reset: 'monthly' },
  rate_limits: [{ type: 'requests', unit: 'rpm', value: 5 }],
  expires_at: '2026-05-01T10:30:00.000Z',
  allowed_models: ['gpt-4o', 'o1-*'],
  created_at: '',
  last_updated_at: '',
};

test('what came goes back unchanged', () => {
  const { name, note, usage_limits, rate_limits, expires_at, allowed_models } = ROW;
  expect(bodyOf(formOf(ROW))).toEqual({ name, note, usage_limits, rate_limits, expires_at, allowed_models });
});

test('an empty form clears', () => {
  expect(bodyOf({ ...formOf(), name: ' B ' })).toEqual({
    name: 'B',
    note: '',
    usage_limits: null,
    rate_limits: null,
    expires_at: null,
    allowed_models: [],
  });
  expect(checkForm(formOf())).toEqual({ name: 'is required' });
});

test('times survive the field', () => {
  expect(fromLocal(toLocal('2026-05-01T10:30:00.000Z'))).toBe('2026-05-01T10:30:00.000Z');
  expect([toLocal(null), toLocal(undefined), fromLocal('')]).toEqual(['', '', null]);
});

test('a refusal finds its place', () => {
  expect(placeOf(new ApiError(400, 'usage_limits.credit_limit: must be a number of 0 or more', ''))).toEqual({
    'usage.0.amount': 'must be a number of 0 or more',
  });
  expect(placeOf(new ApiError(400, 'slug: must be 1 to 255 letters', ''))).toEqual({ slug: 'must be 1 to 255 letters' });
  expect(placeOf(new ApiError(409, 'A provider with this slug already exists', ''))).toEqual({
    slug: 'is taken by another provider of the workspace',
  });
  expect(placeOf(new ApiError(400, 'integration_id: this integration is not enabled', ''))).toBeUndefined();
  expect(placeOf(new Error('x'))).toBeUndefined();
});
