import { expect, test } from 'vitest';
import { ApiError } from '~/api/errors';
import { bodyOf, checkForm, formOf, pathOf, placeOf } from './key-form';

test('an empty form names what it needs', () => {
  expect(checkForm(formOf('workspace-user'))).toEqual({
    name: 'is required',
    scopes: 'choose at least one',
    user_id: 'choose a member',
  });
  expect(checkForm({ ...formOf('workspace-service'), name: 'ci', scopes: ['completions.write'] })).toEqual({});
});

test('what is sent', () => {
  const form = {
    ...formOf('workspace-service'),
    name: ' ci ',
    scopes: ['completions.write'],
    config: 'pc-main',
    allowed: 'a\n\n b ',
  };
  expect(bodyOf(form)).toEqual({
    name: 'ci',
    description: '',
    scopes: ['completions.write'],
    usage_limits: null,
    rate_limits: null,
    expires_at: null,
    defaults: { config_id: 'pc-main' },
    allowed_models: ['a', 'b'],
  });
  expect(bodyOf({ ...formOf('organisation-service'), name: 'x' })).not.toHaveProperty('defaults');
  expect(bodyOf({ ...formOf('workspace-user'), user: 'u-1' }).user_id).toBe('u-1');
  expect(pathOf('workspace-user')).toBe('/api-keys/workspace/user');
});

test('a refusal finds its field', () => {
  const refused = (message: string) => placeOf(new ApiError(400, message, 'x'));
  expect(refused('scopes: a key of this type cannot hold "x"')).toEqual({ scopes: 'a key of this type cannot hold "x"' });
  expect(refused('defaults.config_id: is not there')).toEqual({ config: 'is not there' });
  expect(refused('usage_limits.credit_limit: must be a number')).toEqual({ 'usage.0.amount': 'must be a number' });
  expect(refused('key: is taken')).toBeUndefined();
});
