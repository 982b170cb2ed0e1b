/* The configs of a workspace. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Plus, Split } from 'lucide-react';
import { configs } from '~/api/queries';
import type { ConfigSummary } from '~/api/types';
import type { SessionWorkspace } from '~/auth/session';
import { WorkspaceGate } from '~/app/workspace-gate';
import { ago } from '~/lib/format';
import { Badge } from '~/ui/badge';
import { ButtonLink } from '~/ui/button';
import { SearchField } from '~/ui/field';
import { Page, Toolbar } from '~/ui/page';
import { Await, NothingFound, State } from '~/ui/states';
import { Lines, rowLink, Table, WithMark, type Column } from '~/ui/table';

const route = getRouteApi('/inside/w/$workspace/configs');

const columnsOf = (workspace: string): Column<ConfigSummary>[] => [
  {
    id: 'name',
    head: 'Config',
    width: 'minmax(180px, 2fr)',
    cell: (row) => (
      <WithMark mark={null}>
        <Lines
          first={
            <Link to="/w/$workspace/configs/$config" params={{ workspace, config: row.slug }} className={rowLink}>
              {row.name}
            </Link>
          }
          second={<code>{row.slug}</code>}
        />
        {row.is_default === 1 && <Badge>default</Badge>}
      </WithMark>
    ),
  },
  { id: 'changed', head: 'Changed', width: '140px', end: true, cell: (row) => ago(row.last_updated_at), spare: true },
];

function Configs({ workspace }: { workspace: SessionWorkspace }) {
  const { q = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useQuery(configs(workspace.id));
  const wanted = q.trim().toLowerCase();
  const shown = (list.data ?? []).filter((row) => `${row.name} ${row.slug}`.toLowerCase().includes(wanted));
  const set = (text: string) => void navigate({ search: text === '' ? {} : { q: text }, replace: true });
  const create = (
    <ButtonLink to="/w/$workspace/configs/new" params={{ workspace: workspace.slug }} look="primary" icon={Plus}>
      Create config
    </ButtonLink>
  );
  return (
    <Page
      title="Configs"
      about="Where requests go: fallbacks, load balancing, conditions, retries. A request names one, or has that of its key."
      actions={create}
    >
      <Await queries={[list]}>
        {() =>
          list.data?.length === 0 ? (
            <State icon={Split} title="No config yet" actions={create}>
              Requests go to the model they name. A config can send them elsewhere.
            </State>
          ) : (
            <>
              <Toolbar>
                <SearchField label="Search configs" value={q} onChange={set} main />
              </Toolbar>
              {shown.length === 0 ? (
                <NothingFound what="configs" onClear={() => set('')} />
              ) : (
                <Table label="Configs" columns={columnsOf(workspace.slug)} rows={shown} keyOf={(row) => row.id} />
              )}
            </>
          )
        }
      </Await>
    </Page>
  );
}

export const ConfigsPage = () => (
  <WorkspaceGate>{(workspace) => <Configs key={workspace.slug} workspace={workspace} />}</WorkspaceGate>
);
