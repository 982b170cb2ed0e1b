import css from './wordmark.module.css';

/** Our own mark: a gate that lets the water through. */
export const Glyph = ({ size = 22 }: { size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden className={css.glyph}>
    <rect width="32" height="32" rx="8" className={css.ground} />
    <path d="M8 10h16M8 16h10M8 22h16" className={css.bars} />
    <path d="M22.5 13.2v5.6" className={css.gate} />
  </svg>
);

export const Wordmark = () => (
  <span className={css.word}>
    <Glyph size={24} />
    Sluice
  </span>
);
