/* The AI providers of a workspace: what developers name behind the @. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Plug, Plus } from 'lucide-react';
import { aiProviders, providers } from '~/api/queries';
import type { Provider } from '~/api/types';
import type { SessionWorkspace } from '~/auth/session';
import { WorkspaceGate } from '~/app/workspace-gate';
import { LimitCell } from '~/features/limits/limit-figures';
import { ago } from '~/lib/format';
import { ButtonLink } from '~/ui/button';
import { SearchField } from '~/ui/field';
import { Mark } from '~/ui/mark';
import { Page, Toolbar } from '~/ui/page';
import { Await, NothingFound, State } from '~/ui/states';
import { Lines, rowLink, Table, WithMark, type Column } from '~/ui/table';
import css from './providers.module.css';
import { ProviderStatus } from './status';

const route = getRouteApi('/inside/w/$workspace/providers');

function columnsOf(workspace: string, kindName: (id: string | undefined) => string): Column<Provider>[] {
  return [
    {
      id: 'name',
      head: 'Provider',
      width: 'minmax(170px, 1.6fr)',
      cell: (row) => (
        <WithMark mark={<Mark name={kindName(row.ai_provider_name)} />}>
          <Lines
            first={
              <Link to="/w/$workspace/providers/$provider" params={{ workspace, provider: row.slug }} className={rowLink}>
                {row.name}
              </Link>
            }
            second={`@${row.slug}`}
          />
        </WithMark>
      ),
    },
    { id: 'kind', head: 'Service', width: 'minmax(100px, 1fr)', cell: (row) => kindName(row.ai_provider_name), spare: true },
    { id: 'status', head: 'Status', width: '100px', cell: (row) => <ProviderStatus status={row.status} /> },
    {
      id: 'limits',
      head: 'Limits',
      width: 'minmax(130px, 1.2fr)',
      cell: (row) => <LimitCell row={row} otherwise="as inherited" />,
      spare: true,
    },
    {
      id: 'expires',
      head: 'Expires',
      width: '110px',
      end: true,
      cell: (row) => (row.expires_at ? ago(row.expires_at) : <span className={css.quiet}>never</span>),
      spare: true,
    },
  ];
}

function Providers({ workspace }: { workspace: SessionWorkspace }) {
  const { q = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useQuery(providers(workspace.id));
  const kinds = useQuery(aiProviders);
  const kindName = (id: string | undefined) => kinds.data?.find((one) => one.id === id)?.name ?? id ?? '';
  const wanted = q.trim().toLowerCase();
  const shown = (list.data ?? []).filter((row) =>
    `${row.name} ${row.slug} ${row.ai_provider_name ?? ''}`.toLowerCase().includes(wanted),
  );
  const create = (
    <ButtonLink to="/w/$workspace/providers/new" params={{ workspace: workspace.slug }} look="primary" icon={Plus}>
      Create provider
    </ButtonLink>
  );
  const set = (text: string) => void navigate({ search: text === '' ? {} : { q: text }, replace: true });
  return (
    <Page
      title="AI providers"
      about="Each is a name for credentials, with limits of its own. Developers write it in front of a model: @provider/model."
      actions={create}
    >
      <Await queries={[list]}>
        {() =>
          list.data?.length === 0 ? (
            <State icon={Plug} title="This workspace has no provider yet" actions={create}>
              An integration that is given to the workspace appears here by itself.
            </State>
          ) : (
            <>
              <Toolbar>
                <SearchField label="Search providers" value={q} onChange={set} main />
              </Toolbar>
              {shown.length === 0 ? (
                <NothingFound what="providers" onClear={() => set('')} />
              ) : (
                <Table label="AI providers" columns={columnsOf(workspace.slug, kindName)} rows={shown} keyOf={(row) => row.id} />
              )}
            </>
          )
        }
      </Await>
    </Page>
  );
}

export const ProvidersPage = () => (
  <WorkspaceGate>{(workspace) => <Providers key={workspace.slug} workspace={workspace} />}</WorkspaceGate>
);
