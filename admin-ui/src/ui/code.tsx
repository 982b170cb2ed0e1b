/* Code to be copied, with enough colour to be read. */
import { Fragment, useMemo } from 'react';
import { highlight, type Language } from '~/lib/highlight';
import css from './code.module.css';
import { CopyButton } from './copy';

const NAMES: Record<Language, string> = {
  bash: 'Shell',
  python: 'Python',
  javascript: 'JavaScript',
  json: 'JSON',
  env: 'Environment',
  text: 'Text',
};

interface CodeProps {
  code: string;
  language: Language;
  /** What the block is, for those who cannot see it. */
  label: string;
}

export function Code({ code, language, label }: CodeProps) {
  const pieces = useMemo(() => highlight(code, language), [code, language]);
  return (
    <div className={css.block}>
      <div className={css.head}>
        <span>{NAMES[language]}</span>
        <CopyButton text={code} label="Copy code" shown />
      </div>
      {/* Scrolls sideways, so the keyboard must be able to get into it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className={css.pre} tabIndex={0} role="region" aria-label={label}>
        <code>
          {pieces.map((piece, i) => (
            <Fragment key={i}>
              {piece.kind === 'plain' ? piece.text : <span className={css[piece.kind]}>{piece.text}</span>}
            </Fragment>
          ))}
        </code>
      </pre>
    </div>
  );
}
