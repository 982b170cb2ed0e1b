/* Step two: which workspaces may use the integration, and within which limits. Each switch takes effect at once. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Building, SlidersHorizontal } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useChange, useEagerChange } from '~/api/changes';
import { put, segment } from '~/api/http';
import { integrationWorkspaces, workspaces } from '~/api/queries';
import type { GlobalAccess, Integration, IntegrationWorkspaces, WorkspaceAccessChange } from '~/api/types';
import { LimitCell } from '~/features/limits/limit-figures';
import { limitsWords } from '~/features/limits/limits';
import { LimitsDialog, type LimitsChange } from '~/features/limits/limits-dialog';
import { plural } from '~/lib/format';
import { Button } from '~/ui/button';
import { Segments, Switch } from '~/ui/choice';
import { SearchField } from '~/ui/field';
import { Card, Spacer, Toolbar } from '~/ui/page';
import { Await, NothingFound, State } from '~/ui/states';
import { Lines, Table, type Column } from '~/ui/table';
import { failed } from '~/ui/toast';
import { accessRows, portions, withAccess, type AccessRow } from './access';
import css from './integrations.module.css';

const route = getRouteApi('/inside/integrations/$integration');
const PORTION = 200;

const SHOW = [
  { id: 'all', label: 'All' },
  { id: 'on', label: 'With access' },
  { id: 'off', label: 'Without' },
] as const;

function useAccess(slug: string) {
  const path = `/integrations/${segment(slug)}/workspaces`;
  const list = useQuery(workspaces);
  const access = useQuery(integrationWorkspaces(slug));
  const nameOf = (id: string) => list.data?.find((one) => one.id === id)?.name ?? '';
  const change = useEagerChange<WorkspaceAccessChange[], IntegrationWorkspaces>(
    integrationWorkspaces(slug).queryKey,
    async (changes) => {
      for (const part of portions(changes, PORTION)) await put(path, { workspaces: part });
    },
    (data, changes) => withAccess(data, changes, nameOf),
    failed,
  );
  const global = useChange((body: GlobalAccess) => put(path, { global_workspace_access: body }), {
    touches: [['integration', slug]],
  });
  return { list, access, change, global };
}

function NewWorkspaces({ access, onSave }: { access: GlobalAccess; onSave: (next: GlobalAccess) => Promise<unknown> }) {
  const [editing, setEditing] = useState(false);
  return (
    <Card>
      <div className={css.newOnes}>
        <Switch
          label="Give it to new workspaces"
          shown
          help={`Workspaces made from now on get it by themselves${access.enabled ? `: ${limitsWords(access.usage_limits, access.rate_limits) ?? 'without limits'}` : ''}.`}
          value={access.enabled}
          onChange={(enabled) => void onSave({ ...access, enabled }).catch(failed)}
        />
        {access.enabled && (
          <Button small icon={SlidersHorizontal} onPress={() => setEditing(true)}>
            Their limits
          </Button>
        )}
      </div>
      {editing && (
        <LimitsDialog
          title="Limits of new workspaces"
          usage={access.usage_limits}
          rates={access.rate_limits}
          onClose={() => setEditing(false)}
          onSave={(limits) => onSave({ ...access, ...limits })}
        />
      )}
    </Card>
  );
}

function columnsOf(toggle: (row: AccessRow, enabled: boolean) => void, edit: (row: AccessRow) => void): Column<AccessRow>[] {
  return [
    {
      id: 'access',
      head: <span className="visually-hidden">Access</span>,
      width: '34px',
      cell: (row) => <Switch label={`Access of ${row.name}`} value={row.enabled} onChange={(enabled) => toggle(row, enabled)} />,
    },
    {
      id: 'name',
      head: 'Workspace',
      width: 'minmax(90px, 1fr)',
      cell: (row) => <Lines first={`${row.icon} ${row.name}`.trim()} second={row.slug} />,
    },
    {
      id: 'limits',
      head: 'Limits',
      width: 'minmax(120px, 1.2fr)',
      cell: (row) => (row.enabled ? <LimitCell row={row} otherwise="no limits" /> : <span className={css.quiet}>—</span>),
      spare: true,
    },
    {
      id: 'edit',
      head: <span className="visually-hidden">Edit limits</span>,
      width: '92px',
      end: true,
      cell: (row) =>
        row.enabled && (
          <Button small onPress={() => edit(row)}>
            Edit limits
          </Button>
        ),
    },
  ];
}

export function WorkspacesPanel({ row }: { row: Integration }) {
  const { q = '', show = 'all' } = route.useSearch();
  const navigate = route.useNavigate();
  const { list, access, change, global } = useAccess(row.slug);
  const [editing, setEditing] = useState<AccessRow>();
  const rows = useMemo(() => (list.data && access.data ? accessRows(list.data, access.data) : []), [list.data, access.data]);
  const wanted = q.trim().toLowerCase();
  const shown = rows.filter(
    (one) => `${one.name} ${one.slug}`.toLowerCase().includes(wanted) && (show === 'all' || one.enabled === (show === 'on')),
  );
  const set = (next: { q?: string; show?: string }) => void navigate({ search: (old) => ({ ...old, ...next }), replace: true });
  const setAll = (enabled: boolean) => {
    const changes = shown.filter((one) => one.enabled !== enabled).map(({ id }) => ({ id, enabled }));
    if (changes.length > 0) change.mutate(changes);
  };
  const saveLimits = async (one: AccessRow, limits: LimitsChange) =>
    change.mutateAsync([{ id: one.id, enabled: true, ...limits }]);
  const columns = columnsOf((one, enabled) => change.mutate([{ id: one.id, enabled }]), setEditing);
  const off = shown.filter((one) => !one.enabled).length;
  return (
    <Await queries={[list, access]}>
      {() => (
        <>
          {access.data && (
            <NewWorkspaces access={access.data.global_workspace_access} onSave={(next) => global.mutateAsync(next)} />
          )}
          {rows.length === 0 ? (
            <State icon={Building} title="There is no workspace yet" small>
              Make one first; then it can be given this integration.
            </State>
          ) : (
            <>
              <Toolbar>
                <SearchField label="Search workspaces" value={q} onChange={(text) => set({ q: text })} main />
                <Segments
                  label="Show"
                  value={show === 'on' || show === 'off' ? show : 'all'}
                  options={SHOW}
                  onChange={(next) => set({ show: next === 'all' ? '' : next })}
                />
                <Spacer />
                {shown.length > 0 && (
                  <Button small onPress={() => setAll(off > 0)}>
                    {off > 0 ? `Give to ${plural(off, 'workspace')}` : `Take from ${plural(shown.length, 'workspace')}`}
                  </Button>
                )}
              </Toolbar>
              {shown.length === 0 ? (
                <NothingFound what="workspaces" onClear={() => set({ q: '', show: '' })} />
              ) : (
                <Table label="Workspaces" columns={columns} rows={shown} keyOf={(one) => one.id} />
              )}
            </>
          )}
          {editing && (
            <LimitsDialog
              title={`Limits of ${editing.name}`}
              usage={editing.usage_limits}
              rates={editing.rate_limits}
              onClose={() => setEditing(undefined)}
              onSave={(limits) => saveLimits(editing, limits)}
            />
          )}
        </>
      )}
    </Await>
  );
}
