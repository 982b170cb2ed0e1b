import { expect, test } from 'vitest';
import rows from 'virtual:scopes';
import { CUSTOM, groupsOf, presetOf, presetsOf, scopesWords } from './scopes';

const KINDS = ['organisation-service', 'workspace-service', 'workspace-user'] as const;

test('what is offered fits the kind of key', () => {
  const offered = (kind: (typeof KINDS)[number]) => groupsOf(kind, rows).flatMap((group) => group.scopes.map((one) => one.scope));
  expect(offered('organisation-service')).not.toContain('completions.write');
  expect(offered('organisation-service')).toContain('workspaces.create');
  expect(offered('workspace-service')).toContain('completions.write');
  expect(offered('workspace-service')).not.toContain('workspaces.create');
  for (const kind of KINDS) expect(new Set(offered(kind)).size).toBe(offered(kind).length);
});

test.each(KINDS)('every preset of %s is made of scopes that exist and fit', (kind) => {
  const offered = new Set(groupsOf(kind, rows).flatMap((group) => group.scopes.map((one) => one.scope)));
  for (const preset of presetsOf(kind, rows)) {
    expect(preset.scopes.length).toBeGreaterThan(0);
    for (const scope of preset.scopes) expect(offered).toContain(scope);
    expect(presetOf(presetsOf(kind, rows), [...preset.scopes].reverse())).toBe(preset.id);
  }
});

test('in words', () => {
  expect(scopesWords('workspace-service', ['models.list', 'completions.write'], rows)).toBe('Call models');
  expect(scopesWords('workspace-service', ['completions.write'], rows)).toBe('completions.write');
  expect(scopesWords('workspace-service', ['completions.write', 'configs.list'], rows)).toBe('2 scopes');
  expect(presetOf(presetsOf('workspace-service', rows), [])).toBe(CUSTOM);
});
