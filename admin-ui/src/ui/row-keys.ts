/* j and k (and the arrow keys once a row has the focus) move through the rows of a list. */
import { useEffect, type RefObject } from 'react';
import { isTyping } from '~/lib/typing';

const OPENERS = 'a[href], button, [tabindex="0"]';

function rowOf(target: EventTarget | null): HTMLElement | null {
  return target instanceof HTMLElement ? target.closest<HTMLElement>('[data-row]') : null;
}

function step(event: KeyboardEvent, inside: boolean): number {
  if (event.ctrlKey || event.metaKey || event.altKey) return 0;
  if (event.key === 'j' || (inside && event.key === 'ArrowDown')) return 1;
  if (event.key === 'k' || (inside && event.key === 'ArrowUp')) return -1;
  return 0;
}

export function useRowKeys(root: RefObject<HTMLElement | null>, count: number, reveal: (index: number) => void): void {
  useEffect(() => {
    const focus = (index: number) => {
      const row = root.current?.querySelector<HTMLElement>(`[data-row="${index}"]`);
      const target = row?.querySelector<HTMLElement>(OPENERS);
      target?.focus({ preventScroll: true });
      row?.scrollIntoView({ block: 'nearest' });
    };
    const onKey = (event: KeyboardEvent) => {
      const box = root.current;
      if (box === null || isTyping(event.target) || document.querySelector('[role=dialog]') !== null) return;
      const current = rowOf(event.target);
      const inside = current !== null && box.contains(current);
      const by = step(event, inside);
      // Of several lists on a page the one with the focus listens, otherwise the first.
      if (by === 0 || (!inside && document.querySelector('[role=table]') !== box)) return;
      const index = Math.min(count - 1, Math.max(0, inside ? Number(current.dataset.row) + by : 0));
      event.preventDefault();
      reveal(index);
      requestAnimationFrame(() => requestAnimationFrame(() => focus(index)));
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  });
}
