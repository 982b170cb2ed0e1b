import { expect, test } from 'vitest';
import { ApiError } from '~/api/errors';
import type { Workspace } from '~/api/types';
import { AS_ORGANISATION, bodyOf, checkForm, formOf, placeOf } from './settings-form';

const ROW: Workspace = {
  id: 'w',
  slug: 'ws-a',
  name: 'A',
  icon: '🔬',
  description: null,
  status: 'active',
  is_default: 0,
  usage_limits: [{ type: 'cost', credit_limit: 10, periodic_reset: 'monthly' }],
  rate_limits: null,
  defaults: { config_id: 'pc-a', metadata: { team: 'x' } },
  workspace_integrations: null,
  default_limit_mode: 'strict',
  limit_status: 'active',
  usage: [],
  created_at: '',
  last_updated_at: '',
};

test('what came goes back unchanged', () => {
  expect(bodyOf(formOf(ROW), true)).toEqual({
    name: 'A',
    icon: '🔬',
    description: '',
    usage_limits: ROW.usage_limits,
    rate_limits: null,
    workspace_integrations: null,
    default_limit_mode: 'strict',
  });
});

test('a key of the workspace sends only what it may change', () => {
  expect(Object.keys(bodyOf(formOf(ROW), false))).toEqual(['name', 'icon', 'description']);
  expect(bodyOf({ ...formOf(ROW), mode: AS_ORGANISATION }, true)).toMatchObject({
    default_limit_mode: null,
  });
});

test('faults stand at their fields', () => {
  expect(checkForm({ ...formOf(ROW), name: ' ' })).toEqual({ name: 'is required' });
  expect(placeOf(new ApiError(400, 'icon: is too long', ''))).toEqual({ icon: 'is too long' });
  expect(placeOf(new ApiError(400, 'users: must be an array', ''))).toBeUndefined();
});
