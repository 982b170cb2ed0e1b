/* Who is signed in, and what a call carries to say so. The only module that knows how sign-in works.
 *
 * Either a cookie that this page cannot read, beside a guard word that it sends along and another site cannot know; or an API key.
 * Both are kept in sessionStorage: they end with the tab, and a new tab gets the guard word of a cookie that still holds (resume).
 * Organisation, role and workspaces are asked once at sign-in. Everything else sees a Session and never the credential. */
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

/** Sent with each call: an API key, or the guard word beside the cookie. */
type Credential = { key: string } | { guard: string };

type Stored = Credential & { session: Session };

/** What POST and GET /v1/console/session tell. */
export interface SignedIn {
  csrf_token: string;
  session: Session;
}

const STORE = 'sluice.session';
/** Says to a new tab that a cookie may be there. */
const HINT = 'sluice.signed-in';
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

let trying: Credential | null = null;

/** Headers of a call to the admin API. */
export function authorize(): Record<string, string> {
  const credential = trying ?? current;
  if (credential === null) return {};
  return 'key' in credential ? { 'x-portkey-api-key': credential.key } : { 'x-csrf-token': credential.guard };
}

/** The API said 401: what was signed in is not valid any more. */
export function ended(): void {
  if (current === null || trying !== null) return;
  endedByServer = true;
  localStorage.removeItem(HINT);
  set(null);
}

export const wasEnded = (): boolean => endedByServer;

/** A workspace key signs in to call models; the gateway takes the same key. undefined: it must get another one. */
export const callingKey = (): string | undefined =>
  current !== null && 'key' in current && !current.session.admin ? current.key : undefined;

/** A person, who signed in by password: what is theirs has to be told by no id. */
export const isPerson = (): boolean => current !== null && 'guard' in current;

/** Signs in with an API key; `probe` finds out what it may. Its errors pass, and nothing is kept then. */
export async function signInWithKey(key: string, probe: () => Promise<Session>): Promise<Session> {
  trying = { key };
  try {
    const found = await probe();
    endedByServer = false;
    set({ key, session: found });
    return found;
  } finally {
    trying = null;
  }
}

/** Signs in by cookie: `enter` asks for it. Its errors pass, and nothing is kept then. */
export async function signInAsPerson(enter: () => Promise<SignedIn>): Promise<Session> {
  const { csrf_token, session: found } = await enter();
  endedByServer = false;
  localStorage.setItem(HINT, 'yes');
  set({ guard: csrf_token, session: found });
  return found;
}

/** In a new tab: goes on with the cookie of another one, if there is one that holds. */
export async function resume(ask: () => Promise<SignedIn>): Promise<void> {
  if (current !== null || localStorage.getItem(HINT) === null) return;
  try {
    await signInAsPerson(ask);
  } catch {
    localStorage.removeItem(HINT);
  }
}

/** `leave` ends the cookie's session; a key just goes. */
export function signOut(leave: () => Promise<unknown>): void {
  endedByServer = false;
  localStorage.removeItem(HINT);
  // Without an answer the cookie stays until it ends; the page forgets its guard word all the same.
  if (isPerson()) void leave().catch(() => undefined);
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
