/* What the key that is being tried may do: an organisation key can read its organisation; a workspace key cannot, and sees one
 * workspace, or none if it lacks the scope for that. */
import { isForbidden } from '~/api/errors';
import { get } from '~/api/http';
import type { List, Organisation, Workspace } from '~/api/types';
import type { Area, Session, SessionWorkspace } from './session';

export const toSessionWorkspace = (row: Workspace): SessionWorkspace => ({
  id: row.id,
  slug: row.slug,
  name: row.name,
  icon: row.icon ?? '',
});

/** Stands for the key's workspace when the key may not read it. */
export const OWN_WORKSPACE: SessionWorkspace = { id: '', slug: '-', name: 'Your workspace', icon: '' };

async function orElse<T>(wanted: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await wanted;
  } catch (error) {
    if (isForbidden(error)) return otherwise;
    throw error;
  }
}

/** Where each area begins. One that is refused is not offered. */
const AREAS = (workspace: string): [Area, string][] => [
  ['keys', '/api-keys'],
  ['configs', '/configs'],
  ['usage', '/usage'],
  ...(workspace === ''
    ? []
    : ([
        ['members', `/admin/workspaces/${workspace}/users`],
        ['settings', `/admin/workspaces/${workspace}`],
      ] as [Area, string][])),
];
const ORGANISATION_AREAS: [Area, string][] = [
  ['planes', '/data-planes'],
  ['audit', '/audit-logs'],
];

async function areasOf(admin: boolean, workspace: string): Promise<Area[]> {
  const asked = [...AREAS(workspace), ...(admin ? ORGANISATION_AREAS : [])];
  const open = await Promise.all(
    asked.map(([, path]) =>
      orElse<boolean>(
        get(path, { page_size: 1 }).then(() => true),
        false,
      ),
    ),
  );
  return asked.filter((_, i) => open[i] === true).map(([area]) => area);
}

export async function probeKey(): Promise<Session> {
  const organisation = await orElse<Organisation | null>(get<Organisation>('/admin/organisation'), null);
  const list = await orElse<List<Workspace> | null>(get<List<Workspace>>('/admin/workspaces', { page_size: 1000 }), null);
  const workspaces = (list?.data ?? []).map(toSessionWorkspace);
  const areas = await areasOf(organisation !== null, workspaces[0]?.id ?? '');
  return {
    admin: organisation !== null,
    organisation: organisation === null ? { id: '', name: '' } : { id: organisation.id, name: organisation.name },
    workspaces: workspaces.length > 0 || organisation !== null ? workspaces : [OWN_WORKSPACE],
    areas,
    who: organisation === null ? 'Workspace key' : 'Organisation key',
  };
}
