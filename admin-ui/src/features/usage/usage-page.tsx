/* What was used and what it cost, of a workspace or of the organisation. */
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { ChartColumn, Download } from 'lucide-react';
import { lazy, Suspense, useMemo } from 'react';
import { useChange } from '~/api/changes';
import { get } from '~/api/http';
import { inWorkspace, usage } from '~/api/queries';
import type { Usage, UsageRow, UsageTotals } from '~/api/types';
import type { SessionWorkspace } from '~/auth/session';
import { WorkspaceGate } from '~/app/workspace-gate';
import { save } from '~/lib/save';
import { count, plural, short } from '~/lib/format';
import { Meter } from '~/ui/badge';
import { Button } from '~/ui/button';
import { Segments, Select } from '~/ui/choice';
import { Card, Page, Section, Spacer, Toolbar } from '~/ui/page';
import { Await, Notice, SkeletonRows, State } from '~/ui/states';
import { Table, type Column } from '~/ui/table';
import { failed } from '~/ui/toast';
import {
  barsOf,
  BREAKDOWNS,
  breakdownsOf,
  chartWords,
  errorRate,
  MEASURES,
  money,
  rangeOf,
  ranked,
  RANGES,
  startOf,
  valueOf,
  words,
  type Breakdown,
  type Measure,
  type Range,
} from './usage';
import css from './usage.module.css';

const Chart = lazy(() => import('./chart'));

const TICK_MS = 60_000;

/** Now, to the minute: so that what is asked stays the same question for a while. */
const minuteNow = (): number => Math.floor(Date.now() / TICK_MS) * TICK_MS;

const hour = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

function Tiles({ totals }: { totals: UsageTotals }) {
  const tiles: [string, string, string | undefined][] = [
    ['Cost', money(totals.cost_usd), totals.charge_usd === totals.cost_usd ? undefined : `${money(totals.charge_usd)} charged`],
    [
      'Requests',
      count(totals.requests),
      totals.estimated_requests > 0 ? `${count(totals.estimated_requests)} estimated` : undefined,
    ],
    ['Errors', errorRate(totals), plural(totals.errors, 'request')],
    [
      'Tokens in',
      short(totals.input_tokens),
      totals.cached_tokens > 0 ? `${short(totals.cached_tokens)} from a provider’s cache` : undefined,
    ],
    ['Tokens out', short(totals.output_tokens), undefined],
  ];
  return (
    <dl className={css.tiles}>
      {tiles.map(([name, value, note]) => (
        <div key={name} className={css.tile}>
          <dt>{name}</dt>
          <dd>{value}</dd>
          {note !== undefined && <dd className={css.note}>{note}</dd>}
        </div>
      ))}
    </dl>
  );
}

function OverTime({ sums, range, measure, now }: { sums: Usage; range: Range; measure: Measure; now: number }) {
  const { times, values } = useMemo(() => barsOf(sums, range, measure, now), [sums, range, measure, now]);
  const say = useMemo(() => (value: number) => words(value, measure), [measure]);
  const format = range.group === 'hour' ? hour : day;
  return (
    <Card>
      <Suspense fallback={<SkeletonRows rows={4} height={55} />}>
        <Chart
          times={times}
          values={values}
          label={chartWords(range, measure, values)}
          words={say}
          timeWords={(time) => format.format(new Date(time))}
        />
      </Suspense>
    </Card>
  );
}

function columnsOf(by: Breakdown, measure: Measure, whole: number): Column<UsageRow>[] {
  return [
    { id: 'name', head: by.label, width: 'minmax(120px, 2fr)', cell: (row) => by.name(row) },
    {
      id: 'share',
      head: 'Share',
      width: 'minmax(80px, 1fr)',
      cell: (row) => <Meter label={`Share of ${by.name(row)}`} used={valueOf(row, measure)} of={whole} plain />,
      spare: true,
    },
    { id: 'cost', head: 'Cost', width: '104px', end: true, cell: (row) => money(row.cost_usd) },
    { id: 'requests', head: 'Requests', width: '86px', end: true, cell: (row) => count(row.requests) },
    { id: 'errors', head: 'Errors', width: '70px', end: true, cell: errorRate, spare: true },
    { id: 'in', head: 'In', width: '76px', end: true, cell: (row) => short(row.input_tokens), spare: true },
    { id: 'out', head: 'Out', width: '76px', end: true, cell: (row) => short(row.output_tokens), spare: true },
  ];
}

interface ByProps {
  by: Breakdown;
  from: string;
  measure: Measure;
  place: SessionWorkspace | undefined;
}

function By({ by, from, measure, place }: ByProps) {
  const query = useQuery(usage(by.id, from, place?.id ?? ''));
  const { data } = query;
  return (
    <Await queries={[query]}>
      {() =>
        data === undefined || data.data.length === 0 ? (
          <State icon={ChartColumn} title={`Nothing by ${by.label.toLowerCase()}`} small>
            No request of this time belongs to one.
          </State>
        ) : (
          <Table
            label={`Usage by ${by.label}`}
            columns={columnsOf(by, measure, valueOf(data.totals, measure))}
            rows={ranked(data.data, measure)}
            keyOf={(row) => row.id ?? by.name(row)}
          />
        )
      }
    </Await>
  );
}

function UsageView({ place }: { place: SessionWorkspace | undefined }) {
  const search: { range?: string; show?: string; by?: string } = useSearch({ strict: false });
  const navigate = useNavigate();
  const range = rangeOf(search.range);
  const measure = MEASURES.find((one) => one.id === search.show)?.id ?? 'cost';
  const breakdowns = breakdownsOf(place === undefined);
  const by = breakdowns.find((one) => one.id === search.by) ?? (BREAKDOWNS[0] as Breakdown);
  const now = minuteNow();
  const from = new Date(startOf(range, now)).toISOString();
  const sums = useQuery(usage(range.group, from, place?.id ?? ''));
  const set = (next: typeof search) => void navigate({ to: '.', search: (old: object) => ({ ...old, ...next }), replace: true });
  const download = useChange(() => get<string>('/usage/export', { format: 'csv', from, ...inWorkspace(place?.id ?? '') }), {
    touches: [],
    onDone: (text) => save(`usage-${from.slice(0, 10)}.csv`, 'text/csv', text),
  });
  return (
    <Page
      title={place === undefined ? 'Usage of the organisation' : 'Usage'}
      about="What was used and what it cost. It follows the requests by about a second."
      actions={
        <Button icon={Download} pending={download.isPending} onPress={() => download.mutate(undefined, { onError: failed })}>
          Download CSV
        </Button>
      }
    >
      <Toolbar>
        <Segments label="Time" value={range.id} options={RANGES} onChange={(id) => set({ range: id })} />
        <Spacer />
        <Segments label="Show" value={measure} options={MEASURES} onChange={(show) => set({ show })} />
      </Toolbar>
      <Await queries={[sums]}>
        {() =>
          sums.data && (
            <>
              <Tiles totals={sums.data.totals} />
              {sums.data.totals.unpriced_requests > 0 && (
                <Notice tone="warn">
                  The price of {plural(sums.data.totals.unpriced_requests, 'request')} is not known: their cost is missing here,
                  and not 0.
                </Notice>
              )}
              {sums.data.totals.requests === 0 ? (
                <State icon={ChartColumn} title="Nothing was used in this time" small>
                  The first request shows up here by itself.
                </State>
              ) : (
                <>
                  <OverTime sums={sums.data} range={range} measure={measure} now={now} />
                  <Section
                    title="By whom and by what"
                    actions={<Select label="By" bare value={by.id} options={breakdowns} onChange={(id) => set({ by: id })} />}
                  >
                    <By key={by.id} by={by} from={from} measure={measure} place={place} />
                  </Section>
                </>
              )}
            </>
          )
        }
      </Await>
    </Page>
  );
}

export const UsagePage = () => (
  <WorkspaceGate>{(workspace) => <UsageView key={workspace.slug} place={workspace} />}</WorkspaceGate>
);
export const OrganisationUsagePage = () => <UsageView place={undefined} />;
