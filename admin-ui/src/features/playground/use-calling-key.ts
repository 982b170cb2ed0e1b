/* The key that calls models from the page. A workspace key that signed in is one; whoever governs the organisation gets a short-lived
 * one for this workspace, because organisation keys never call models; a person gets one of their own. It lives in the page and ends by itself. */
import { useRef } from 'react';
import { post } from '~/api/http';
import type { ApiKeyMade } from '~/api/types';
import { callingKey, isPerson } from '~/auth/session';

const LIFE_MS = 60 * 60 * 1000;
const SLACK_MS = 60 * 1000;

interface Held {
  key: string;
  workspace: string;
  until: number;
}

export function useCallingKey(workspaceId: string): () => Promise<string> {
  const held = useRef<Held>(undefined);
  return async () => {
    const own = callingKey();
    if (own !== undefined) return own;
    if (held.current?.workspace === workspaceId && held.current.until > Date.now()) return held.current.key;
    const made = await post<ApiKeyMade>(
      isPerson() ? '/api-keys/workspace/user' : '/api-keys/workspace/service',
      {
        name: 'Playground',
        description: 'Made by the console for one hour of trying models.',
        workspace_id: workspaceId,
        scopes: ['completions.write'],
        expires_at: new Date(Date.now() + LIFE_MS).toISOString(),
      },
      { wait: 'applied', wait_ms: 5000 },
    );
    held.current = { key: made.key, workspace: workspaceId, until: Date.now() + LIFE_MS - SLACK_MS };
    return made.key;
  };
}
