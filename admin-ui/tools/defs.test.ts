import { expect, test } from 'vitest';
import { errorsOf, scopesOf, tableText } from './defs';

test('the scopes that exist, with who may hold them', () => {
  const rows = scopesOf(tableText('virtual:scopes'));
  const holders = (scope: string) => rows.find((row) => row.scope === scope)?.holders.replace('M', '');
  expect(holders('completions.write')).toBe('SU');
  expect(holders('audit_logs.list')).toBe('O');
  expect(holders('providers.create')).toBe('OSU');
  expect(holders('providers.list')).toBe('OSU');
  expect(holders('workspace_service_api_keys.rotate')).toBe('OS');
  expect(new Set(rows.map((row) => row.scope)).size).toBe(rows.length);
});

test('what members may give', () => {
  const rows = scopesOf('SCOPES_CRUDL_M("configs", O | S | U)\nSCOPE("logs.list", O | M)\n');
  expect(rows.filter((row) => row.holders.includes('M')).map((row) => row.scope)).toEqual([
    'configs.read',
    'configs.list',
    'logs.list',
  ]);
});

test('the errors that exist', () => {
  const rows = errorsOf(tableText('virtual:errors'));
  expect(rows.find((row) => row.code === 'budget_exhausted')).toMatchObject({ http: 412, retryable: false });
  expect(rows.find((row) => row.code === 'rate_limit_exceeded')).toMatchObject({ http: 429, retryable: true });
  expect(rows.some((row) => row.code === 'ok')).toBe(false);
});

test('a row that is not understood is a failure', () => {
  expect(() => scopesOf('SCOPE(logs.list, O)')).toThrow('no row');
  expect(() => errorsOf('STATUS(NEW, 400, invalid, "", 0, "x")')).toThrow('no row');
});
