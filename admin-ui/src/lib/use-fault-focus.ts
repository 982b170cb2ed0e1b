import { useEffect, useRef } from 'react';

/** Brings the first field that was refused into view and gives it the focus, whenever other fields are refused than before. */
export function useFaultFocus(faults: Readonly<Record<string, string>>) {
  const form = useRef<HTMLFormElement>(null);
  const refused = Object.entries(faults)
    .map(([name, rule]) => `${name}: ${rule}`)
    .join('\n');
  useEffect(() => {
    if (refused === '') return;
    const field = form.current?.querySelector<HTMLElement>('[aria-invalid=true], [data-fault]');
    field?.focus({ preventScroll: true });
    field?.scrollIntoView({ block: 'center' });
  }, [refused]);
  return form;
}
