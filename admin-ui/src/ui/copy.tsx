/* What is meant to be taken along: copied with one press, and said so. */
import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { cx } from '~/lib/cx';
import css from './copy.module.css';
import { failed } from './toast';

const SAID_MS = 1600;

function useCopy(text: string): [boolean, () => void] {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), SAID_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => failed(new Error('The browser does not let this page copy. Select the text and copy it yourself.')),
    );
  };
  return [copied, copy];
}

export function CopyButton({ text, label = 'Copy', shown = false }: { text: string; label?: string; shown?: boolean }) {
  const [copied, copy] = useCopy(text);
  return (
    <button
      type="button"
      className={cx(css.button, shown && css.shown)}
      aria-label={copied ? 'Copied' : label}
      title={label}
      onClick={copy}
    >
      {copied ? <Check size={14} aria-hidden className={css.done} /> : <Copy size={14} aria-hidden />}
      {shown && <span>{copied ? 'Copied' : label}</span>}
    </button>
  );
}

/** A short word in the machine's writing, with a way to take it. */
export const Copyable = ({ text, label }: { text: string; label: string }) => (
  <span className={css.copyable}>
    <code>{text}</code>
    <CopyButton text={text} label={label} />
  </span>
);
