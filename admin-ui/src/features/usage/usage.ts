/* Which sums are asked for, and what is drawn of them. */
import type { Usage, UsageRow, UsageTotals } from '~/api/types';
import { count, plural, short } from '~/lib/format';

export type Measure = 'cost' | 'requests' | 'tokens' | 'errors';

export const MEASURES: { id: Measure; label: string }[] = [
  { id: 'cost', label: 'Cost' },
  { id: 'requests', label: 'Requests' },
  { id: 'tokens', label: 'Tokens' },
  { id: 'errors', label: 'Errors' },
];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface Range {
  id: string;
  label: string;
  /** What one bar stands for. */
  group: 'hour' | 'day';
  steps: number;
}

export const RANGES: Range[] = [
  { id: '24h', label: '24 hours', group: 'hour', steps: 24 },
  { id: '7d', label: '7 days', group: 'day', steps: 7 },
  { id: '30d', label: '30 days', group: 'day', steps: 30 },
  { id: '90d', label: '90 days', group: 'day', steps: 90 },
];

export const rangeOf = (id: string | undefined): Range => RANGES.find((one) => one.id === id) ?? (RANGES[2] as Range);

const stepMs = (range: Range): number => (range.group === 'hour' ? HOUR_MS : DAY_MS);

/** The first moment of the range: the start of its oldest bar. Bars are UTC's, as the ledger's. */
export function startOf(range: Range, now: number): number {
  const step = stepMs(range);
  return Math.floor(now / step) * step - (range.steps - 1) * step;
}

export const valueOf = (row: UsageTotals, measure: Measure): number =>
  ({ cost: row.cost_usd, requests: row.requests, errors: row.errors, tokens: row.input_tokens + row.output_tokens })[measure];

/** One bar for every step, also for those in which nothing was used. Times in ms. */
export function barsOf(usage: Usage, range: Range, measure: Measure, now: number): { times: number[]; values: number[] } {
  const step = stepMs(range);
  const at = new Map(usage.data.map((row) => [new Date(row[range.group] ?? 0).getTime(), valueOf(row, measure)]));
  const times = Array.from({ length: range.steps }, (_, i) => startOf(range, now) + i * step);
  return { times, values: times.map((time) => at.get(time) ?? 0) };
}

/** A sum of money for the eye: cents from a dollar on, four digits below. */
export function money(value: number): string {
  if (value === 0) return '$0';
  if (Math.abs(value) >= 1) return `$${value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  return `$${Number(value.toPrecision(4)).toLocaleString('en-US', { maximumFractionDigits: 12 })}`;
}

export const words = (value: number, measure: Measure): string =>
  measure === 'cost' ? money(value) : measure === 'tokens' ? short(value) : count(value);

export const errorRate = (row: UsageTotals): string =>
  row.requests === 0 ? '0 %' : `${Math.round((row.errors / row.requests) * 1000) / 10} %`;

export interface Breakdown {
  id: string;
  label: string;
  /** What a row of it is called in the API's answer. */
  name: (row: UsageRow) => string;
  /** The organisation's alone. */
  wide?: boolean;
}

const GONE = 'deleted';

export const BREAKDOWNS: Breakdown[] = [
  { id: 'provider', label: 'Provider', name: (row) => (row.slug === undefined ? GONE : `@${row.slug}`) },
  { id: 'model', label: 'Model', name: (row) => row.model ?? '' },
  { id: 'key', label: 'API key', name: (row) => row.name ?? GONE },
  { id: 'user', label: 'User', name: (row) => row.email ?? GONE },
  { id: 'workspace', label: 'Workspace', name: (row) => row.slug ?? GONE, wide: true },
  { id: 'integration', label: 'Integration', name: (row) => row.slug ?? GONE, wide: true },
];

export const breakdownsOf = (wide: boolean): Breakdown[] => BREAKDOWNS.filter((one) => wide || one.wide !== true);

/** The chart in a sentence, for those who do not see it. */
export function chartWords(range: Range, measure: Measure, values: readonly number[]): string {
  const most = Math.max(0, ...values);
  const used = values.filter((value) => value > 0).length;
  const label = MEASURES.find((one) => one.id === measure)?.label ?? '';
  return `${label} by ${range.group}: used in ${plural(used, range.group)} of ${range.steps}, at most ${words(most, measure)}`;
}

/** The largest first. */
export const ranked = (rows: readonly UsageRow[], measure: Measure): UsageRow[] =>
  [...rows].sort((a, b) => valueOf(b, measure) - valueOf(a, measure));
