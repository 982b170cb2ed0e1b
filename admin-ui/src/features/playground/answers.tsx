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

const NEAR_PX = 80;

/** Follows the text as it grows, unless one has scrolled up to read. */
function useFollow(changes: readonly unknown[]) {
  const box = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  useEffect(() => {
    if (box.current && following.current) box.current.scrollTop = box.current.scrollHeight;
    // eslint-disable-next-line react-hooks/exhaustive-deps -- what makes the text grow is the caller's to say
  }, changes);
  const onScroll = () => {
    const it = box.current;
    if (it) following.current = it.scrollHeight - it.scrollTop - it.clientHeight < NEAR_PX;
  };
  return { box, onScroll };
}

export function Answers({ exchanges, prices }: { exchanges: Exchange[]; prices: Record<string, number> | undefined }) {
  const last = exchanges.at(-1);
  const { box, onScroll } = useFollow([last?.answer, last?.running, exchanges.length]);
  return (
    // Scrolls, so the keyboard must be able to get into it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div ref={box} onScroll={onScroll} className={css.answers} role="log" aria-label="Answers" tabIndex={0}>
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
    </div>
  );
}
