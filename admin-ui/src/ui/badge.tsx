/* Small marks: a state, a count, a share. Colour is never all that tells them apart. */
import type { ReactNode } from 'react';
import { cx } from '~/lib/cx';
import css from './badge.module.css';

export type BadgeTone = 'quiet' | 'accent' | 'good' | 'warn' | 'bad' | 'violet';

export const Badge = ({ tone = 'quiet', children }: { tone?: BadgeTone; children: ReactNode }) => (
  <span className={cx(css.badge, css[tone])}>{children}</span>
);

export const Status = ({ tone, children }: { tone: BadgeTone; children: ReactNode }) => (
  <span className={css.status}>
    <span className={cx(css.dot, css[tone])} aria-hidden />
    {children}
  </span>
);

export const Kbd = ({ children }: { children: ReactNode }) => <kbd className={css.kbd}>{children}</kbd>;

interface MeterProps {
  label: string;
  used: number;
  of: number;
  /** A share of a whole, not of a limit: it stays blue. */
  plain?: boolean;
}

/** How much of a limit is used: blue, amber from 80 %, red when nothing is left. */
export function Meter({ label, used, of, plain = false }: MeterProps) {
  const share = of <= 0 ? 1 : Math.min(1, Math.max(0, used / of));
  const tone = plain ? css.ample : share >= 1 ? css.full : share >= 0.8 ? css.near : css.ample;
  return (
    <span
      className={css.meter}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={of}
      aria-valuenow={Math.min(used, of)}
    >
      <span className={cx(css.fill, tone)} style={{ width: `${Math.round(share * 1000) / 10}%` }} />
    </span>
  );
}
