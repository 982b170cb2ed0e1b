/* Every data plane and how it is doing, live. */
import { useQuery } from '@tanstack/react-query';
import { Server } from 'lucide-react';
import { dataPlanes } from '~/api/queries';
import type { DataPlane } from '~/api/types';
import { ago, count, ms } from '~/lib/format';
import { Badge, Status, type BadgeTone } from '~/ui/badge';
import { Page } from '~/ui/page';
import { Await, Notice, State } from '~/ui/states';
import { Lines, Table, type Column } from '~/ui/table';

const STATES: Record<DataPlane['status'], [BadgeTone, string]> = {
  connected: ['good', 'connected'],
  disconnected: ['bad', 'disconnected'],
  never_seen: ['quiet', 'never seen'],
  removed: ['quiet', 'removed'],
};

function Revision({ row, newest }: { row: DataPlane; newest: number }) {
  const behind = newest - row.revision;
  const since = row.status === 'connected' && row.lag_ms > 0 ? `${ms(row.lag_ms)} behind` : undefined;
  return (
    <Lines
      first={
        <>
          {count(row.revision)} {behind > 0 && <Badge tone="warn">{count(behind)} to come</Badge>}
        </>
      }
      second={since}
    />
  );
}

const columnsOf = (newest: number): Column<DataPlane>[] => [
  { id: 'name', head: 'Data plane', width: 'minmax(96px, 2fr)', cell: (row) => <Lines first={row.name} second={row.region} /> },
  {
    id: 'status',
    head: 'Status',
    width: '112px',
    cell: (row) => <Status tone={STATES[row.status][0]}>{STATES[row.status][1]}</Status>,
  },
  { id: 'revision', head: 'Revision', width: 'minmax(70px, 1fr)', cell: (row) => <Revision row={row} newest={newest} /> },
  { id: 'workers', head: 'Workers', width: '70px', end: true, cell: (row) => row.workers_ready, spare: true },
  { id: 'open', head: 'Open', width: '70px', end: true, cell: (row) => count(row.open_requests), spare: true },
  {
    id: 'requests',
    head: 'Requests',
    width: '104px',
    end: true,
    cell: (row) => <Lines first={count(row.requests)} second={`${count(row.errors)} errors`} />,
    spare: true,
  },
  { id: 'pending', head: 'To upload', width: '84px', end: true, cell: (row) => count(row.journal_pending), spare: true },
  {
    id: 'seen',
    head: 'Seen',
    width: '140px',
    end: true,
    cell: (row) => <Lines first={row.last_seen_at === null ? 'never' : ago(row.last_seen_at)} second={row.software} />,
    spare: true,
  },
];

export function PlanesPage() {
  const query = useQuery(dataPlanes);
  const { data } = query;
  const rows = data?.data ?? [];
  return (
    <Page
      title="Data planes"
      about={data && `The gateways that carry the requests. The newest revision of the configuration is ${count(data.revision)}.`}
    >
      <Await queries={[query]}>
        {() =>
          rows.length === 0 ? (
            <State icon={Server} title="No data plane yet">
              Enrol one with <code>sluice-control node create</code>.
            </State>
          ) : (
            <>
              {rows
                .filter((row) => row.refused !== null)
                .map((row) => (
                  <Notice key={row.id} tone="bad" title={`${row.name} refused revision ${row.refused?.revision ?? ''}.`}>
                    It works on with what it had. {row.refused?.reason}
                  </Notice>
                ))}
              <Table label="Data planes" columns={columnsOf(data?.revision ?? 0)} rows={rows} keyOf={(row) => row.id} />
            </>
          )
        }
      </Await>
    </Page>
  );
}
