/* A word that something was done, or was not. It leaves by itself; what must be acted on is a Notice in its place instead. */
import { CircleAlert, CircleCheck, X } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { messageOf } from '~/api/errors';
import css from './toast.module.css';

interface Toast {
  id: number;
  text: string;
  bad: boolean;
}

const SHOWN_MS = 5000;
const SHOWN_MAX = 3;

let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

function show(text: string, bad: boolean): void {
  const id = ++last;
  set([...toasts.slice(1 - SHOWN_MAX), { id, text, bad }]);
  setTimeout(() => dismiss(id), bad ? SHOWN_MS * 2 : SHOWN_MS);
}

const dismiss = (id: number) => set(toasts.filter((toast) => toast.id !== id));

export const done = (text: string) => show(text, false);
export const failed = (error: unknown) => show(messageOf(error), true);

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <section className={css.toasts} aria-label="Messages" aria-live="polite" aria-relevant="additions">
      {shown.map((toast) => (
        <div key={toast.id} className={css.toast} role={toast.bad ? 'alert' : undefined}>
          {toast.bad ? (
            <CircleAlert size={15} className={css.bad} aria-hidden />
          ) : (
            <CircleCheck size={15} className={css.good} aria-hidden />
          )}
          <span className={css.text}>{toast.text}</span>
          <button type="button" className={css.close} aria-label="Dismiss" onClick={() => dismiss(toast.id)}>
            <X size={13} aria-hidden />
          </button>
        </div>
      ))}
    </section>
  );
}
