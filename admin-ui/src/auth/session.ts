/* Who is signed in, and what a call carries to say so. The only module that knows how sign-in works.
 *
 * The credential is an API key, kept in sessionStorage: it ends with the tab. From the key follow organisation, role and
 * workspaces, asked once at sign-in. Everything else sees a Session and never the key. */
import { useSyncExternalStore } from 'react';

export interface SessionWorkspace {
  /** Empty when the key may not read its own workspace: then no call names one, and the API takes the key's. */
  id: string;
  slug: string;
  name: string;
  icon: string;
}

/** What a page shows of beyond models and providers; those a session may not list are not offered to it. */
export type Area = 'keys' | 'configs' | 'members' | 'settings' | 'usage' | 'planes' | 'audit';

export interface Session {
  /** Governs the whole organisation; otherwise it works inside its workspaces. */
  admin: boolean;
  organisation: { id: string; name: string };
  workspaces: SessionWorkspace[];
  areas: Area[];
  who: string;
}

interface Stored {
  key: string;
  session: Session;
}

const STORE = 'sluice.session';
const listeners = new Set<() => void>();

function read(): Stored | null {
  try {
    const text = sessionStorage.getItem(STORE);
    return text === null ? null : (JSON.parse(text) as Stored);
  } catch {
    return null;
  }
}

let current: Stored | null = typeof sessionStorage === 'undefined' ? null : read();
let endedByServer = false;

function set(next: Stored | null): void {
  current = next;
  if (next === null) sessionStorage.removeItem(STORE);
  else sessionStorage.setItem(STORE, JSON.stringify(next));
  for (const listener of listeners) listener();
}

export const session = (): Session | null => current?.session ?? null;

/** Calls `listener` whenever the session begins, changes or ends; gives what stops that. */
export function onSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSession(): Session {
  const now = useMaybeSession();
  if (now === null) throw new Error('a page behind sign-in was shown without a session');
  return now;
}

export function useMaybeSession(): Session | null {
  return useSyncExternalStore(onSession, session, session);
}

let trying: string | null = null;

/** Headers of a call to the admin API. */
export function authorize(): Record<string, string> {
  const key = trying ?? current?.key;
  return key === undefined ? {} : { 'x-portkey-api-key': key };
}

/** The API said 401: what was signed in is not valid any more. */
export function ended(): void {
  if (current === null || trying !== null) return;
  endedByServer = true;
  set(null);
}

export const wasEnded = (): boolean => endedByServer;

/** A workspace key signs in to call models; the gateway takes the same key. undefined: it must get another one. */
export const callingKey = (): string | undefined => (current !== null && !current.session.admin ? current.key : undefined);

/** Signs in with an API key; `probe` finds out what it may. Its errors pass, and nothing is kept then. */
export async function signInWithKey(key: string, probe: () => Promise<Session>): Promise<Session> {
  trying = key;
  try {
    const found = await probe();
    endedByServer = false;
    set({ key, session: found });
    return found;
  } finally {
    trying = null;
  }
}

export function signOut(): void {
  endedByServer = false;
  set(null);
}

/** After a workspace was made or changed (`row`), or removed (undefined). */
export function setWorkspace(id: string, row: SessionWorkspace | undefined): void {
  if (current === null) return;
  const { workspaces } = current.session;
  const known = workspaces.some((one) => one.id === id);
  const next =
    row === undefined
      ? workspaces.filter((one) => one.id !== id)
      : known
        ? workspaces.map((one) => (one.id === id ? row : one))
        : [...workspaces, row];
  set({ ...current, session: { ...current.session, workspaces: next } });
}
