/* The answers of one model, newest last, with what each took. */
import { useEffect, useRef } from 'react';
import { shift } from '~/lib/decimal';
import { count, ms, usd } from '~/lib/format';
import { Notice } from '~/ui/states';
import { costOf, type Figures } from './chat';
import css from './playground.module.css';
import type { Exchange } from './use-conversations';

function Metrics({ figures, prices }: { figures: Figures; prices: Record<string, number> | undefined }) {
  const { firstMs, totalMs, usage, costNanousd } = figures;
  const cost = costNanousd ?? (usage && costOf(usage, prices));
  const items: [string, string | undefined][] = [
    ['first word', firstMs === undefined ? undefined : ms(firstMs)],
    ['total', totalMs === undefined ? undefined : ms(totalMs)],
    ['in', usage && `${count(usage.input)} tokens`],
    ['out', usage && `${count(usage.output)} tokens`],
    [
      'cost',
      cost === undefined
        ? usage
          ? 'unknown'
          : undefined
        : `${costNanousd === undefined ? '≈ ' : ''}${usd(shift(String(cost), -9) ?? '0')}`,
    ],
  ];
  return (
    <dl className={css.figures}>
      {items.map(
        ([name, value]) =>
          value !== undefined && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

export function Answers({ exchanges, prices }: { exchanges: Exchange[]; prices: Record<string, number> | undefined }) {
  const end = useRef<HTMLDivElement>(null);
  const last = exchanges.at(-1);
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'nearest' });
  }, [last?.answer, last?.running, exchanges.length]);
  return (
    // Scrolls, so the keyboard must be able to get into it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={css.answers} role="log" aria-label="Answers" tabIndex={0}>
      {exchanges.length === 0 && <p className={css.waiting}>Answers appear here.</p>}
      {exchanges.map((one, i) => (
        <article key={i} className={css.exchange}>
          <p className={css.asked}>{one.prompt}</p>
          {one.answer !== '' && (
            <p className={css.answer}>
              {one.answer}
              {one.running && <span className={css.caret} aria-hidden />}
            </p>
          )}
          {one.running && one.answer === '' && (
            <p className={css.waiting}>
              <span className={css.caret} aria-hidden /> Waiting for the first word…
            </p>
          )}
          {one.error !== undefined && <Notice tone="bad">{one.error}</Notice>}
          <Metrics figures={one.figures} prices={prices} />
        </article>
      ))}
      <div ref={end} />
    </div>
  );
}
