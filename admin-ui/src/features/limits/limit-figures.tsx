/* What was used of limits and what is left: a line in a list, or a block for each on the page of the thing. */
import type { LimitUsage, RateLimit, UsageLimit } from '~/api/types';
import { ago, dateTime } from '~/lib/format';
import { Badge, Meter } from '~/ui/badge';
import { Card, Section } from '~/ui/page';
import css from './limit-figures.module.css';
import { amountWords, nameOf, shareWords, tightest } from './figures';
import { limitsWords } from './limits';

function Figure({ row }: { row: LimitUsage }) {
  const out = row.status === 'exhausted';
  return (
    <div className={css.figure}>
      <div className={css.head}>
        <span className={css.name}>{nameOf(row)}</span>
        {out && <Badge tone="bad">exhausted</Badge>}
        {!out && row.alerted === true && <Badge tone="warn">warned</Badge>}
        <span className={css.share}>{shareWords(row)}</span>
      </div>
      <Meter label={`${nameOf(row)}: ${shareWords(row)} used`} used={row.used} of={row.limit} />
      <div className={css.foot}>
        <span>{amountWords(row, row.remaining)} left</span>
        {row.outstanding > 0 && <span>{amountWords(row, row.outstanding)} held for open requests</span>}
        {row.next_reset_at && <span title={dateTime(row.next_reset_at)}>starts anew {ago(row.next_reset_at)}</span>}
        {row.mode === 'strict' && <span>never exceeded (strict)</span>}
      </div>
    </div>
  );
}

/** Every limit of a thing. Nothing when it has none. */
export const LimitFigures = ({ usage }: { usage: readonly LimitUsage[] }) =>
  usage.length === 0 ? null : (
    <div className={css.figures}>
      {usage.map((row, i) => (
        <Figure key={i} row={row} />
      ))}
    </div>
  );

/** Beside a thing's settings: its limits and what is left of them. Nothing when it has none. */
export const LimitsAside = ({ usage }: { usage: readonly LimitUsage[] }) =>
  usage.length === 0 ? null : (
    <Section title="Limits">
      <Card>
        <LimitFigures usage={usage} />
      </Card>
    </Section>
  );

interface LimitCellProps {
  row: { usage: readonly LimitUsage[]; usage_limits: UsageLimit | UsageLimit[] | null; rate_limits: RateLimit[] | null };
  /** What stands there when there are no limits. */
  otherwise: string;
}

/** All limits in a line, and how far the budget that is nearest to its end is used. */
export function LimitCell({ row, otherwise }: LimitCellProps) {
  const words = limitsWords(row.usage_limits, row.rate_limits);
  const tight = tightest(row.usage);
  if (words === undefined) return <span className={css.quiet}>{otherwise}</span>;
  return (
    <span className={css.cell}>
      <span className={css.words}>{words}</span>
      {tight !== undefined && (
        <span className={css.line}>
          <Meter label={`${nameOf(tight)}: ${shareWords(tight)} used`} used={tight.used} of={tight.limit} />
          <span>{amountWords(tight, tight.used)} used</span>
        </span>
      )}
    </span>
  );
}
