/* Integrations: every provider there is, those that are connected, and those that workspaces made for themselves. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Cable, Plus, Server } from 'lucide-react';
import { useMemo } from 'react';
import { aiProviders, integrations, workspaces } from '~/api/queries';
import type { AiProvider, IntegrationSummary } from '~/api/types';
import { ago } from '~/lib/format';
import { Badge } from '~/ui/badge';
import { ButtonLink } from '~/ui/button';
import { Select } from '~/ui/choice';
import { SearchField } from '~/ui/field';
import { Mark } from '~/ui/mark';
import { Page, Toolbar } from '~/ui/page';
import { Await, NothingFound, SkeletonCards, SkeletonRows, State } from '~/ui/states';
import { Lines, rowLink, Table, WithMark, type Column } from '~/ui/table';
import { TabLink, TabLinks } from '~/ui/tabs';
import { LimitCell } from '~/features/limits/limit-figures';
import { inOrder, KINDS, matchesKind, type Kind } from './kinds';
import css from './integrations.module.css';
import { WorkspaceCount } from './workspace-count';

const route = getRouteApi('/inside/integrations');

type Tab = 'all' | 'connected' | 'workspaces';

function useFilter() {
  const { q = '', kind = 'all', tab } = route.useSearch();
  const navigate = route.useNavigate();
  const set = (change: { q?: string; kind?: string }) =>
    void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const clear = () => void navigate({ search: tab === undefined ? {} : { tab }, replace: true });
  return { q, kind: kind as Kind, set, clear };
}

function Gallery({ rows, connected }: { rows: AiProvider[]; connected: IntegrationSummary[] }) {
  const { q, kind, set, clear } = useFilter();
  const times = useMemo(() => {
    const found = new Map<string, number>();
    for (const one of connected) found.set(one.ai_provider_id, (found.get(one.ai_provider_id) ?? 0) + 1);
    return found;
  }, [connected]);
  const wanted = q.trim().toLowerCase();
  const shown = rows
    .filter((row) => `${row.name} ${row.id}`.toLowerCase().includes(wanted) && matchesKind(row, kind))
    .sort(inOrder);
  return (
    <>
      <Toolbar>
        <SearchField label="Search providers" value={q} onChange={(text) => set({ q: text })} main />
        <Select label="Offers" bare value={kind} options={KINDS} onChange={(next) => set({ kind: next === 'all' ? '' : next })} />
      </Toolbar>
      {shown.length === 0 ? (
        <NothingFound what="providers" onClear={clear} />
      ) : (
        <ul className={css.gallery} aria-label="Providers">
          {kind === 'all' && wanted === '' && (
            <li className={css.card}>
              <span className={css.own} aria-hidden>
                <Server size={18} strokeWidth={1.7} />
              </span>
              <div className={css.cardText}>
                <Link
                  to="/integrations/connect/$provider"
                  params={{ provider: 'openai' }}
                  search={{ self: 'yes' }}
                  className={rowLink}
                >
                  Self-hosted
                </Link>
                <span className={css.note}>A server of your own: vLLM, TGI, a proxy</span>
              </div>
            </li>
          )}
          {shown.map((row) => (
            <li key={row.id} className={css.card}>
              <Mark name={row.name} large />
              <div className={css.cardText}>
                <Link
                  to="/integrations/connect/$provider"
                  params={{ provider: row.id }}
                  className={rowLink}
                  aria-label={`Connect ${row.name}`}
                >
                  {row.name}
                </Link>
                <span className={css.note}>
                  {row.model_count > 0
                    ? `${row.model_count} models`
                    : row.operations.length > 0
                      ? 'Models of your account'
                      : 'Pass-through'}
                </span>
              </div>
              {row.status === 'retired' ? (
                <Badge tone="warn">retired</Badge>
              ) : (
                times.has(row.id) && <Badge tone="good">{times.get(row.id)} connected</Badge>
              )}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

const nameOf = (providers: AiProvider[], id: string): string => providers.find((row) => row.id === id)?.name ?? id;

function columnsOf(providers: AiProvider[], workspaceName?: (id: string | null) => string): Column<IntegrationSummary>[] {
  return [
    {
      id: 'name',
      head: 'Name',
      width: 'minmax(180px, 2fr)',
      cell: (row) => (
        <WithMark mark={<Mark name={nameOf(providers, row.ai_provider_id)} />}>
          <Lines
            first={
              <Link to="/integrations/$integration" params={{ integration: row.slug }} className={rowLink}>
                {row.name}
              </Link>
            }
            second={row.slug}
          />
        </WithMark>
      ),
    },
    {
      id: 'provider',
      head: 'Provider',
      width: 'minmax(110px, 1fr)',
      cell: (row) => nameOf(providers, row.ai_provider_id),
      spare: true,
    },
    workspaceName
      ? { id: 'workspace', head: 'Workspace', width: 'minmax(110px, 1fr)', cell: (row) => workspaceName(row.workspace_id) }
      : { id: 'workspaces', head: 'Workspaces', width: '110px', cell: (row) => <WorkspaceCount slug={row.slug} /> },
    {
      id: 'limits',
      head: 'Limits',
      width: 'minmax(120px, 1fr)',
      cell: (row) => <LimitCell row={row} otherwise="none" />,
      spare: true,
    },
    { id: 'created', head: 'Created', width: '110px', cell: (row) => ago(row.created_at), end: true, spare: true },
  ];
}

function Connected({ rows, providers }: { rows: IntegrationSummary[]; providers: AiProvider[] }) {
  const { q, set, clear } = useFilter();
  const wanted = q.trim().toLowerCase();
  const shown = rows.filter((row) => `${row.name} ${row.slug} ${row.ai_provider_id}`.toLowerCase().includes(wanted));
  if (rows.length === 0)
    return (
      <State
        icon={Cable}
        title="Nothing is connected yet"
        actions={
          <ButtonLink to="/integrations" look="primary" icon={Plus}>
            Connect a provider
          </ButtonLink>
        }
      >
        Keep a provider’s credentials here once, and hand them to as many workspaces as you like.
      </State>
    );
  return (
    <>
      <Toolbar>
        <SearchField label="Search integrations" value={q} onChange={(text) => set({ q: text })} main />
      </Toolbar>
      {shown.length === 0 ? (
        <NothingFound what="integrations" onClear={clear} />
      ) : (
        <Table label="Connected integrations" columns={columnsOf(providers)} rows={shown} keyOf={(row) => row.id} />
      )}
    </>
  );
}

function OfWorkspaces({ rows, providers }: { rows: IntegrationSummary[]; providers: AiProvider[] }) {
  const { q, set, clear } = useFilter();
  const list = useQuery(workspaces);
  const name = (id: string | null) => list.data?.find((one) => one.id === id)?.name ?? '';
  const wanted = q.trim().toLowerCase();
  const shown = rows.filter((row) =>
    `${row.name} ${row.slug} ${row.ai_provider_id} ${name(row.workspace_id)}`.toLowerCase().includes(wanted),
  );
  if (rows.length === 0)
    return (
      <State icon={Cable} title="No workspace has made one">
        Integrations that workspaces make for themselves are listed here, so that every credential in use can be seen. Whether
        they may is a setting of the organisation.
      </State>
    );
  return (
    <>
      <Toolbar>
        <SearchField label="Search integrations" value={q} onChange={(text) => set({ q: text })} main />
      </Toolbar>
      {shown.length === 0 ? (
        <NothingFound what="integrations" onClear={clear} />
      ) : (
        <Table
          label="Integrations made by workspaces"
          columns={columnsOf(providers, name)}
          rows={shown}
          keyOf={(row) => row.id}
        />
      )}
    </>
  );
}

export function IntegrationsPage() {
  const { tab = 'all' } = route.useSearch();
  const catalog = useQuery(aiProviders);
  const list = useQuery(integrations());
  const own = list.data?.filter((row) => row.type === 'organisation');
  const made = list.data?.filter((row) => row.type === 'workspace');
  const current: Tab = tab === 'connected' || tab === 'workspaces' ? tab : 'all';
  return (
    <Page
      title="Integrations"
      about="Credentials of providers, kept once for the whole organisation and handed to workspaces."
      tabs={
        <TabLinks label="Integrations">
          <TabLink to="/integrations" search={{}} current={current === 'all'} count={catalog.data?.length}>
            All
          </TabLink>
          <TabLink to="/integrations" search={{ tab: 'connected' }} current={current === 'connected'} count={own?.length}>
            Connected
          </TabLink>
          <TabLink to="/integrations" search={{ tab: 'workspaces' }} current={current === 'workspaces'} count={made?.length}>
            Workspace-created
          </TabLink>
        </TabLinks>
      }
    >
      <Await queries={[catalog, list]} skeleton={current === 'all' ? <SkeletonCards cards={12} height={70} /> : <SkeletonRows />}>
        {() =>
          current === 'all' ? (
            <Gallery rows={catalog.data ?? []} connected={list.data ?? []} />
          ) : current === 'connected' ? (
            <Connected rows={own ?? []} providers={catalog.data ?? []} />
          ) : (
            <OfWorkspaces rows={made ?? []} providers={catalog.data ?? []} />
          )
        }
      </Await>
    </Page>
  );
}
