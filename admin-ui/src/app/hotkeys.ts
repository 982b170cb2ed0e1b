/* Keys that work on every page: "/" goes to the search field, Ctrl-K (or Cmd-K) opens the palette. */
import { useEffect } from 'react';
import { isTyping } from '~/lib/typing';

function focusSearch(event: KeyboardEvent): void {
  const field = document.querySelector<HTMLInputElement>('[data-search]');
  if (field === null || isTyping(event.target)) return;
  event.preventDefault();
  field.focus();
  field.select();
}

export function useHotkeys(openPalette: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        openPalette();
      } else if (event.key === '/' && !event.ctrlKey && !event.metaKey) {
        focusSearch(event);
      }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [openPalette]);
}
