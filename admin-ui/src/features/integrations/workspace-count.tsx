import { useQuery } from '@tanstack/react-query';
import { integration } from '~/api/queries';
import { plural } from '~/lib/format';
import css from './integrations.module.css';

/** How many workspaces have the integration; the list does not say it, each integration does. */
export function WorkspaceCount({ slug }: { slug: string }) {
  const { data } = useQuery(integration(slug));
  if (data === undefined) return <span className={css.note}>…</span>;
  return data.workspace_count === 0 ? (
    <span className={css.note}>none yet</span>
  ) : (
    <>{plural(data.workspace_count, 'workspace')}</>
  );
}
