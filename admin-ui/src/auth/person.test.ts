import { expect, test } from 'vitest';
import { toSession } from './person';

const told = (role: string) => ({
  csrf_token: 'word',
  user: { id: 'u', email: 'ada@example.org', first_name: '', last_name: '', role },
  organisation: { id: 'o', slug: 'acme', name: 'Acme' },
  workspaces: [{ id: 'w', slug: 'ws-a', name: 'A', role: 'member' }],
});

test('owners and admins govern, members work in their workspaces', () => {
  expect(toSession(told('owner')).admin).toBe(true);
  expect(toSession(told('admin')).areas).toContain('audit');
  const member = toSession(told('member'));
  expect(member.admin).toBe(false);
  expect(member.areas).not.toContain('planes');
  expect(member.workspaces).toEqual([{ id: 'w', slug: 'ws-a', name: 'A', icon: '' }]);
  expect(member.who).toBe('ada@example.org');
});
