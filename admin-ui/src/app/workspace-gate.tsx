/* Pages about a workspace come through here: the address may name one that is not there, or not ours. */
import { Building } from 'lucide-react';
import type { ReactNode } from 'react';
import type { SessionWorkspace } from '~/auth/session';
import { ButtonLink } from '~/ui/button';
import { State } from '~/ui/states';
import { useWorkspace } from './workspace';

export function WorkspaceGate({ children }: { children: (workspace: SessionWorkspace) => ReactNode }) {
  const workspace = useWorkspace();
  if (workspace !== undefined) return <>{children(workspace)}</>;
  return (
    <State icon={Building} title="No such workspace" actions={<ButtonLink to="/">Go to the start</ButtonLink>}>
      It does not exist, or what you signed in with does not give access to it.
    </State>
  );
}
