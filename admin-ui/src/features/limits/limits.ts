/* Budgets and rate limits between the wire and a form. What the form does not show (members another client wrote) passes through
 * unchanged. */
import type { RateLimit, UsageLimit } from '~/api/types';
import { plain } from '~/lib/decimal';
import { count, usd } from '~/lib/format';

export type Period = 'never' | 'weekly' | 'monthly' | 'days';
export type UsageType = NonNullable<UsageLimit['type']>;

export interface UsageRow {
  type: UsageType;
  amount: string;
  alert: string;
  period: Period;
  days: string;
  /** As it came; what the form does not show stays in it. */
  kept: UsageLimit;
}

export interface RateRow {
  type: RateLimit['type'];
  unit: NonNullable<RateLimit['unit']>;
  value: string;
  kept: Partial<RateLimit>;
}

export interface LimitsForm {
  usage: UsageRow[];
  rates: RateRow[];
}

export const NEW_USAGE: UsageRow = { type: 'cost', amount: '', alert: '', period: 'monthly', days: '30', kept: {} };
export const NEW_RATE: RateRow = { type: 'requests', unit: 'rpm', value: '', kept: {} };

/** Some places hold one object, others an array; nothing is null or absent. */
export const asArray = <T>(value: T | T[] | null | undefined): T[] =>
  value === null || value === undefined ? [] : Array.isArray(value) ? value : [value];

const textOf = (value: number | null | undefined): string =>
  value === null || value === undefined ? '' : (plain(String(value)) ?? '');

const periodOf = (limit: UsageLimit): Period => limit.periodic_reset ?? (limit.periodic_reset_days ? 'days' : 'never');

export function toForm(
  usage: UsageLimit | UsageLimit[] | null | undefined,
  rates: RateLimit | RateLimit[] | null | undefined,
): LimitsForm {
  return {
    usage: asArray(usage).map((limit) => ({
      type: limit.type ?? 'cost',
      amount: textOf(limit.credit_limit),
      alert: textOf(limit.alert_threshold),
      period: periodOf(limit),
      days: textOf(limit.periodic_reset_days) || '30',
      kept: limit,
    })),
    rates: asArray(rates).map((limit) => ({
      type: limit.type,
      unit: limit.unit ?? 'rpm',
      value: textOf(limit.value),
      kept: limit,
    })),
  };
}

function without<T extends object>(value: T, ...names: string[]): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name))) as Partial<T>;
}

function usageOf(row: UsageRow): UsageLimit {
  const kept = without(
    row.kept,
    'type',
    'credit_limit',
    'alert_threshold',
    'periodic_reset',
    'periodic_reset_days',
    'next_usage_reset_at',
  );
  const samePeriod = periodOf(row.kept) === row.period && row.kept.next_usage_reset_at !== undefined;
  return {
    ...kept,
    type: row.type,
    credit_limit: Number(row.amount),
    ...(row.alert.trim() !== '' && { alert_threshold: Number(row.alert) }),
    ...((row.period === 'weekly' || row.period === 'monthly') && { periodic_reset: row.period }),
    ...(row.period === 'days' && { periodic_reset_days: Number(row.days) }),
    ...(samePeriod && { next_usage_reset_at: row.kept.next_usage_reset_at ?? null }),
  };
}

function rateOf(row: RateRow): RateLimit {
  const kept = without(row.kept, 'type', 'unit', 'value');
  return { ...kept, type: row.type, ...(row.type !== 'concurrency' && { unit: row.unit }), value: Number(row.value) };
}

/** What is sent; null clears. */
export function toWire(form: LimitsForm): { usage_limits: UsageLimit[] | null; rate_limits: RateLimit[] | null } {
  return {
    usage_limits: form.usage.length === 0 ? null : form.usage.map(usageOf),
    rate_limits: form.rates.length === 0 ? null : form.rates.map(rateOf),
  };
}

const isNumber = (text: string): boolean => {
  const value = plain(text);
  return value !== undefined && !value.startsWith('-');
};
const isWhole = (text: string): boolean => /^\d+$/.test(text.trim());

export type FormErrors = Record<string, string>;

/** Faults that need no server: by "usage.0.amount", "rates.1.value". */
export function check(form: LimitsForm): FormErrors {
  const errors: FormErrors = {};
  form.usage.forEach((row, i) => {
    if (!isNumber(row.amount)) errors[`usage.${i}.amount`] = 'must be a number of 0 or more';
    if (row.alert.trim() !== '' && !isNumber(row.alert)) errors[`usage.${i}.alert`] = 'must be a number of 0 or more';
    if (row.period === 'days' && (!isWhole(row.days) || Number(row.days) < 1 || Number(row.days) > 365))
      errors[`usage.${i}.days`] = 'must be 1 to 365';
  });
  form.rates.forEach((row, i) => {
    if (!isWhole(row.value)) errors[`rates.${i}.value`] = 'must be a whole number of 0 or more';
  });
  return errors;
}

export const UNIT_WORDS: Record<NonNullable<RateLimit['unit']>, string> = {
  rps: 'second',
  rpm: 'minute',
  rph: 'hour',
  rpd: 'day',
  rpw: 'week',
};

export function usageWords(limit: UsageLimit): string {
  const amount = limit.credit_limit ?? 0;
  const what = (limit.type ?? 'cost') === 'cost' ? usd(amount) : `${count(amount)} ${limit.type}`;
  const period = periodOf(limit);
  if (period === 'never') return what;
  return `${what} ${period === 'days' ? `/ ${limit.periodic_reset_days ?? ''} days` : period === 'weekly' ? '/ week' : '/ month'}`;
}

export const rateWords = (limit: RateLimit): string =>
  limit.type === 'concurrency'
    ? `${count(limit.value)} at once`
    : `${count(limit.value)} ${limit.type} / ${UNIT_WORDS[limit.unit ?? 'rpm']}`;

/** All limits in one line; undefined: there is none. */
export function limitsWords(
  usage: UsageLimit | UsageLimit[] | null | undefined,
  rates: RateLimit | RateLimit[] | null | undefined,
): string | undefined {
  const words = [...asArray(usage).map(usageWords), ...asArray(rates).map(rateWords)];
  return words.length === 0 ? undefined : words.join(' · ');
}
