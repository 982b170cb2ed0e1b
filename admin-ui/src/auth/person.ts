/* Signing in as a person: the calls, and what their answer says for the console. */
import { del, get, post } from '~/api/http';
import type { Area, Session, SignedIn } from './session';

interface PersonSession {
  csrf_token: string;
  user: { id: string; email: string; first_name: string; last_name: string; role: string };
  organisation: { id: string; slug: string; name: string };
  workspaces: { id: string; slug: string; name: string; role: string }[];
}

const MEMBERS: Area[] = ['keys', 'configs', 'members', 'settings', 'usage'];
const ADMINS: Area[] = [...MEMBERS, 'planes', 'audit'];

export function toSession(told: PersonSession): Session {
  const { user, organisation, workspaces } = told;
  const admin = user.role === 'owner' || user.role === 'admin';
  return {
    admin,
    organisation: { id: organisation.id, name: organisation.name },
    workspaces: workspaces.map(({ id, slug, name }) => ({ id, slug, name, icon: '' })),
    areas: admin ? ADMINS : MEMBERS,
    who: `${user.first_name} ${user.last_name}`.trim() || user.email,
  };
}

const signedIn = (told: PersonSession): SignedIn => ({ csrf_token: told.csrf_token, session: toSession(told) });

export const enter = async (email: string, password: string): Promise<SignedIn> =>
  signedIn(await post<PersonSession>('/console/session', { email, password }));
export const current = async (): Promise<SignedIn> => signedIn(await get<PersonSession>('/console/session'));
export const leave = (): Promise<unknown> => del('/console/session');

/** Makes the user of an invite, or gives somebody a new password. */
export const acceptInvite = (body: { token: string; password: string; first_name: string; last_name: string }) =>
  post('/console/invite', body);
export const resetPassword = (body: { token: string; password: string }) => post('/console/reset', body);
