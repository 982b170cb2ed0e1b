/* What is left of limits, in words. Figures are what gateways have told: they follow the requests by about a second. */
import type { LimitUsage } from '~/api/types';
import { count, usd } from '~/lib/format';
import { UNIT_WORDS } from './limits';

export const amountWords = (row: LimitUsage, amount: number): string =>
  row.type === 'cost' ? usd(amount < 1 ? amount : amount.toFixed(2)) : count(amount);

/** What one limit is about: "Cost", "Requests / minute", "Requests at once". */
export function nameOf(row: LimitUsage): string {
  if (row.type === 'concurrency') return 'Requests at once';
  const name = { cost: 'Cost', tokens: 'Tokens', requests: 'Requests' }[row.type];
  return row.unit === undefined ? name : `${name} / ${UNIT_WORDS[row.unit]}`;
}

/** "$3.20 of $10.00" */
export const shareWords = (row: LimitUsage): string => `${amountWords(row, row.used)} of ${amountWords(row, row.limit)}`;

const share = (row: LimitUsage): number => (row.limit <= 0 ? 1 : row.used / row.limit);

/** The budget that is nearest to its end; undefined: there is none. */
export function tightest(usage: readonly LimitUsage[]): LimitUsage | undefined {
  return usage
    .filter((row) => row.unit === undefined && row.type !== 'concurrency')
    .reduce<LimitUsage | undefined>((worst, row) => (worst === undefined || share(row) > share(worst) ? row : worst), undefined);
}
