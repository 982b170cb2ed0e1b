/* The keys of a workspace, or of the organisation. */
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { KeyRound } from 'lucide-react';
import rows from 'virtual:scopes';
import { apiKeys, members } from '~/api/queries';
import type { ApiKey, Member } from '~/api/types';
import { WorkspaceGate } from '~/app/workspace-gate';
import { LimitCell } from '~/features/limits/limit-figures';
import { ago, date } from '~/lib/format';
import { personName } from '~/lib/person';
import { Status, type BadgeTone } from '~/ui/badge';
import { SearchField } from '~/ui/field';
import { Page, Toolbar } from '~/ui/page';
import { Await, NothingFound, State } from '~/ui/states';
import { Lines, rowLink, Table, type Column } from '~/ui/table';
import css from './keys.module.css';
import { KeyLink, NewKeyButton, type Place } from './place';
import { scopesWords } from './scopes';

const TONES: Record<ApiKey['status'], BadgeTone> = { active: 'good', exhausted: 'bad', expired: 'warn' };

export const KeyStatus = ({ status }: { status: ApiKey['status'] }) => <Status tone={TONES[status]}>{status}</Status>;

function columnsOf(place: Place, people: readonly Member[]): Column<ApiKey>[] {
  const owner = (row: ApiKey): string => {
    if (row.type !== 'workspace-user') return 'Service';
    const person = people.find((one) => one.id === row.user_id);
    return person === undefined ? 'A person' : personName(person);
  };
  const columns: Column<ApiKey>[] = [
    {
      id: 'name',
      head: 'Key',
      width: 'minmax(170px, 2fr)',
      cell: (row) => (
        <Lines
          first={
            <KeyLink place={place} id={row.id} className={rowLink}>
              {row.name}
            </KeyLink>
          }
          second={<code>{row.key}</code>}
        />
      ),
    },
    { id: 'owner', head: 'Of', width: 'minmax(90px, 1fr)', cell: owner, spare: true },
    { id: 'may', head: 'May', width: 'minmax(110px, 1fr)', cell: (row) => scopesWords(row.type, row.scopes, rows), spare: true },
    { id: 'status', head: 'Status', width: '96px', cell: (row) => <KeyStatus status={row.status} /> },
    {
      id: 'limits',
      head: 'Limits',
      width: 'minmax(120px, 1.1fr)',
      cell: (row) => <LimitCell row={row} otherwise="none" />,
      spare: true,
    },
    {
      id: 'expires',
      head: 'Expires',
      width: '104px',
      end: true,
      cell: (row) => (row.expires_at ? ago(row.expires_at) : <span className={css.quiet}>never</span>),
      spare: true,
    },
    { id: 'created', head: 'Created', width: '100px', end: true, cell: (row) => date(row.created_at), spare: true },
  ];
  return place === undefined ? columns.filter((column) => column.id !== 'owner' && column.id !== 'limits') : columns;
}

function Keys({ place }: { place: Place }) {
  const { q = '' }: { q?: string } = useSearch({ strict: false });
  const navigate = useNavigate();
  const list = useQuery(apiKeys(place?.id));
  const people = useQuery(members(place?.id ?? ''));
  const wanted = q.trim().toLowerCase();
  const shown = (list.data ?? []).filter((row) =>
    `${row.name} ${row.description ?? ''} ${row.key}`.toLowerCase().includes(wanted),
  );
  const set = (text: string) => void navigate({ to: '.', search: text === '' ? {} : { q: text }, replace: true });
  return (
    <Page
      title={place === undefined ? 'Organisation keys' : 'API keys'}
      about={
        place === undefined
          ? 'For those and for programs that govern the organisation. They call no models.'
          : 'What applications and people call models with. Each has scopes, and limits of its own.'
      }
      actions={<NewKeyButton place={place}>Create key</NewKeyButton>}
    >
      <Await queries={[list]}>
        {() =>
          list.data?.length === 0 ? (
            <State icon={KeyRound} title="No keys yet" actions={<NewKeyButton place={place}>Create key</NewKeyButton>}>
              An application needs one to call models through the gateway.
            </State>
          ) : (
            <>
              <Toolbar>
                <SearchField label="Search keys" value={q} onChange={set} main />
              </Toolbar>
              {shown.length === 0 ? (
                <NothingFound what="keys" onClear={() => set('')} />
              ) : (
                <Table label="API keys" columns={columnsOf(place, people.data ?? [])} rows={shown} keyOf={(row) => row.id} />
              )}
            </>
          )
        }
      </Await>
    </Page>
  );
}

export const KeysPage = () => <WorkspaceGate>{(workspace) => <Keys key={workspace.slug} place={workspace} />}</WorkspaceGate>;
export const OrganisationKeysPage = () => <Keys place={undefined} />;
