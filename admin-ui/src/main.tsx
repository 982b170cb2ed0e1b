import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { I18nProvider } from 'react-aria-components/I18nProvider';
import { ApiError } from '~/api/errors';
import { addressOf } from '~/auth/links';
import { makeRouter } from '~/app/router';
import { followSession } from '~/app/follow-session';
import '~/ui/base.css';

const RETRIES_MAX = 2;

/** A refusal stays one; only what may pass by itself is asked again. */
const retry = (count: number, error: unknown): boolean =>
  count < RETRIES_MAX && !(error instanceof ApiError && error.status < 500 && error.status !== 429);

const queries = new QueryClient({ defaultOptions: { queries: { staleTime: 15_000, retry } } });
const address = addressOf(window.location.hash);
if (address !== undefined) window.history.replaceState(null, '', address);
const router = makeRouter(queries);
followSession(router, queries);

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <I18nProvider locale="en-GB">
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </I18nProvider>
  </StrictMode>,
);
