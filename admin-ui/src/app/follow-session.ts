/* When the session ends, nothing of it may stay: neither the page nor what was read for it. */
import type { QueryClient } from '@tanstack/react-query';
import { onSession, session } from '~/auth/session';
import type { makeRouter } from './router';

export function followSession(router: ReturnType<typeof makeRouter>, queries: QueryClient): void {
  onSession(() => {
    if (session() !== null) return;
    queries.clear();
    void router.invalidate();
  });
}
