/* Every workspace of the organisation, and making one. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Building, Plus } from 'lucide-react';
import { useState } from 'react';
import { useChange } from '~/api/changes';
import { ApiError, messageOf } from '~/api/errors';
import { post } from '~/api/http';
import { workspaces } from '~/api/queries';
import type { Workspace } from '~/api/types';
import { toSessionWorkspace } from '~/auth/probe';
import { setWorkspace } from '~/auth/session';
import { LimitCell } from '~/features/limits/limit-figures';
import { date } from '~/lib/format';
import { slugOf } from '~/lib/slug';
import { Badge, Status } from '~/ui/badge';
import { Button } from '~/ui/button';
import { Dialog, DialogForm } from '~/ui/dialog';
import { SearchField, TextField } from '~/ui/field';
import { Mark } from '~/ui/mark';
import { Page, Toolbar } from '~/ui/page';
import { Await, NothingFound, State } from '~/ui/states';
import { Lines, rowLink, Table, WithMark, type Column } from '~/ui/table';
import css from './workspaces.module.css';

const route = getRouteApi('/inside/workspaces');

const COLUMNS: Column<Workspace>[] = [
  {
    id: 'name',
    head: 'Workspace',
    width: 'minmax(170px, 2fr)',
    cell: (row) => (
      <WithMark mark={row.icon ? <span className={css.icon}>{row.icon}</span> : <Mark name={row.name} />}>
        <Lines
          first={
            <Link to="/w/$workspace/settings" params={{ workspace: row.slug }} className={rowLink}>
              {row.name}
            </Link>
          }
          second={row.slug}
        />
        {row.is_default === 1 && <Badge>default</Badge>}
      </WithMark>
    ),
  },
  {
    id: 'status',
    head: 'Status',
    width: '96px',
    cell: (row) => <Status tone={row.limit_status === 'exhausted' ? 'bad' : 'good'}>{row.limit_status}</Status>,
  },
  {
    id: 'limits',
    head: 'Limits',
    width: 'minmax(150px, 1.5fr)',
    cell: (row) => <LimitCell row={row} otherwise="none" />,
    spare: true,
  },
  { id: 'created', head: 'Created', width: '110px', end: true, cell: (row) => date(row.created_at), spare: true },
];

/** Fields whose refusal stands beside them. */
const FIELDS = ['name', 'slug', 'icon', 'description'];

function NewWorkspace({ onClose, onMade }: { onClose: () => void; onMade: (row: Workspace) => void }) {
  const [name, setName] = useState('');
  const [slug, setSlug] = useState<string>();
  const [icon, setIcon] = useState('');
  const suggested = slugOf(name);
  const create = useChange(() => post<Workspace>('/admin/workspaces', { name: name.trim(), slug: slug ?? suggested, icon }), {
    touches: [['workspaces']],
    done: (row) => `${row.name} was created`,
    onDone: onMade,
  });
  const { error } = create;
  const at = error instanceof ApiError ? (error.status === 409 ? 'slug' : error.field) : undefined;
  const own = at !== undefined && FIELDS.includes(at);
  const fault = (field: string) => (own && at === field ? messageOf(error).replace(`${field}: `, '') : undefined);
  return (
    <Dialog title="Create workspace" open onClose={onClose}>
      <DialogForm
        onSubmit={() => create.mutate(undefined)}
        onCancel={onClose}
        submit="Create workspace"
        pending={create.isPending}
        disabled={name.trim() === ''}
        error={create.isError && !own ? messageOf(error) : undefined}
      >
        <TextField label="Name" value={name} onChange={setName} autoFocus required error={fault('name')} />
        <TextField
          label="Slug"
          value={slug ?? suggested}
          onChange={setSlug}
          mono
          error={fault('slug')}
          help="Its name in addresses and in the API. It stays."
        />
        <TextField
          label="Icon"
          value={icon}
          onChange={setIcon}
          required={false}
          placeholder="🔬"
          error={fault('icon')}
          help="One emoji."
        />
      </DialogForm>
    </Dialog>
  );
}

export function WorkspacesPage() {
  const { q = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const [making, setMaking] = useState(false);
  const list = useQuery(workspaces);
  const wanted = q.trim().toLowerCase();
  const shown = (list.data ?? []).filter((row) => `${row.name} ${row.slug}`.toLowerCase().includes(wanted));
  const set = (text: string) => void navigate({ search: text === '' ? {} : { q: text }, replace: true });
  const made = (row: Workspace) => {
    setWorkspace(row.id, toSessionWorkspace(row));
    void navigate({ to: '/w/$workspace/settings', params: { workspace: row.slug } });
  };
  const create = (
    <Button look="primary" icon={Plus} onPress={() => setMaking(true)}>
      Create workspace
    </Button>
  );
  return (
    <Page title="Workspaces" about="A workspace is a team: its providers, configs, keys and people." actions={create}>
      <Await queries={[list]}>
        {() =>
          list.data?.length === 0 ? (
            <State icon={Building} title="No workspace yet" actions={create}>
              Models are called inside of workspaces. Make the first one.
            </State>
          ) : (
            <>
              <Toolbar>
                <SearchField label="Search workspaces" value={q} onChange={set} main />
              </Toolbar>
              {shown.length === 0 ? (
                <NothingFound what="workspaces" onClear={() => set('')} />
              ) : (
                <Table label="Workspaces" columns={COLUMNS} rows={shown} keyOf={(row) => row.id} />
              )}
            </>
          )
        }
      </Await>
      {making && <NewWorkspace onClose={() => setMaking(false)} onMade={made} />}
    </Page>
  );
}
