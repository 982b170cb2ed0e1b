/* Which workspace a page is about: the address says it (/w/<slug>/...), and the last one is remembered for the next visit. */
import { useParams } from '@tanstack/react-router';
import { useSession, type Session, type SessionWorkspace } from '~/auth/session';

const STORE = 'sluice.workspace';

export const remember = (slug: string): void => localStorage.setItem(STORE, slug);

/** The workspace to begin with; undefined when there is none. */
export function homeWorkspace(session: Session): SessionWorkspace | undefined {
  const last = localStorage.getItem(STORE);
  return session.workspaces.find((one) => one.slug === last) ?? session.workspaces[0];
}

/** The workspace of the address, or undefined when the session has none of that name. */
export function useWorkspace(): SessionWorkspace | undefined {
  const { workspace } = useParams({ strict: false });
  const found = useSession().workspaces.find((one) => one.slug === workspace);
  return found;
}

/** The workspace of the address, else the one to begin with. */
export function useNearWorkspace(): SessionWorkspace | undefined {
  const session = useSession();
  return useWorkspace() ?? homeWorkspace(session);
}
