/* Who changed what, newest first. Secrets were taken out before it was written down. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { ScrollText } from 'lucide-react';
import { useState } from 'react';
import { auditLog, apiKeys, users } from '~/api/queries';
import type { AuditRecord } from '~/api/types';
import { ago, dateTime } from '~/lib/format';
import { personName } from '~/lib/person';
import { Badge } from '~/ui/badge';
import { Button } from '~/ui/button';
import { Select } from '~/ui/choice';
import { Code } from '~/ui/code';
import { Dialog } from '~/ui/dialog';
import { Facts, Page, Toolbar } from '~/ui/page';
import { Await, NothingFound, State } from '~/ui/states';
import { Lines, Table, type Column } from '~/ui/table';
import css from './audit.module.css';

const route = getRouteApi('/inside/audit-log');

const ALL = '-';
const TYPES = ['api_key', 'config', 'integration', 'organisation', 'provider', 'user', 'workspace', 'workspace_user'];
const ACTIONS = ['create', 'update', 'delete', 'rotate', 'reset_usage', 'add_members'];

const spoken = (word: string): string => word.replaceAll('_', ' ');
const options = (words: readonly string[]) => [{ id: ALL, label: 'all' }, ...words.map((id) => ({ id, label: spoken(id) }))];

function bodyText(record: AuditRecord): string {
  try {
    return JSON.stringify(JSON.parse(record.request_body), null, 2);
  } catch {
    return record.request_body;
  }
}

/** Who acted: the name of the key or the person, else the id. */
function useActors(): (record: AuditRecord) => string {
  const keys = useQuery(apiKeys(undefined));
  const people = useQuery(users);
  return (record) => {
    const person = people.data?.find((one) => one.id === record.user_id);
    const key = keys.data?.find((one) => one.id === record.user_id);
    return person !== undefined ? personName(person) : (key?.name ?? record.user_id);
  };
}

function columnsOf(actor: (record: AuditRecord) => string, open: (record: AuditRecord) => void): Column<AuditRecord>[] {
  return [
    {
      id: 'when',
      head: 'When',
      width: 'minmax(104px, 1fr)',
      cell: (row) => <Lines first={ago(row.timestamp)} second={dateTime(row.timestamp)} />,
    },
    {
      id: 'what',
      head: 'What',
      width: 'minmax(130px, 2fr)',
      cell: (row) => (
        <Lines
          first={`${spoken(row.action)} ${spoken(row.resource_type)}`}
          second={row.resource_slug === '' ? row.resource_id : row.resource_slug}
        />
      ),
    },
    {
      id: 'who',
      head: 'Who',
      width: 'minmax(120px, 1.4fr)',
      cell: (row) => <Lines first={actor(row)} second={`${spoken(row.user_type)} · ${row.client_ip}`} />,
      spare: true,
    },
    { id: 'status', head: 'Answer', width: '76px', cell: (row) => <Badge>{row.response_status_code}</Badge>, spare: true },
    {
      id: 'open',
      head: <span className="visually-hidden">Details</span>,
      width: '80px',
      end: true,
      cell: (row) => (
        <Button small onPress={() => open(row)}>
          Details
        </Button>
      ),
    },
  ];
}

function Details({ record, actor, onClose }: { record: AuditRecord; actor: string; onClose: () => void }) {
  return (
    <Dialog title={`${spoken(record.action)} ${spoken(record.resource_type)}`} open onClose={onClose} drawer>
      <div className={css.details}>
        <Facts
          items={[
            ['When', dateTime(record.timestamp)],
            ['Who', actor],
            ['From', record.client_ip],
            ['What', record.resource_slug === '' ? record.resource_id : record.resource_slug],
            ['Call', <code key="c">{`${record.method} ${record.uri}`}</code>],
            ['Request', <code key="r">{record.request_id}</code>],
            ['Revision', record.id],
          ]}
        />
        {record.request_body !== '' && <Code code={bodyText(record)} language="json" label="What was sent" />}
      </div>
    </Dialog>
  );
}

export function AuditPage() {
  const { type = ALL, action = ALL } = route.useSearch();
  const navigate = route.useNavigate();
  const [opened, setOpened] = useState<AuditRecord>();
  const actor = useActors();
  const filter = { ...(type !== ALL && { resource_type: type }), ...(action !== ALL && { action }) };
  const log = useInfiniteQuery(auditLog(filter));
  const records = log.data?.pages.flatMap((page) => page.records) ?? [];
  const set = (next: { type?: string; action?: string }) =>
    void navigate({ search: (old) => ({ ...old, ...next }), replace: true });
  return (
    <Page title="Audit log" about="Every change, by whom, and what was sent. Secrets were taken out before it was written down.">
      <Toolbar>
        <Select
          label="Of"
          bare
          value={type}
          options={options(TYPES)}
          onChange={(next) => set({ type: next === ALL ? '' : next })}
        />
        <Select
          label="Change"
          bare
          value={action}
          options={options(ACTIONS)}
          onChange={(next) => set({ action: next === ALL ? '' : next })}
        />
      </Toolbar>
      <Await queries={[log]}>
        {() =>
          records.length > 0 ? (
            <>
              <Table label="Audit log" columns={columnsOf(actor, setOpened)} rows={records} keyOf={(row) => row.id} />
              {log.hasNextPage && (
                <div>
                  <Button pending={log.isFetchingNextPage} onPress={() => void log.fetchNextPage()}>
                    Older
                  </Button>
                </div>
              )}
            </>
          ) : type === ALL && action === ALL ? (
            <State icon={ScrollText} title="Nothing was changed yet" />
          ) : (
            <NothingFound what="changes" onClear={() => set({ type: '', action: '' })} />
          )
        }
      </Await>
      {opened !== undefined && <Details record={opened} actor={actor(opened)} onClose={() => setOpened(undefined)} />}
    </Page>
  );
}
