/* Between the API's times and what a field for date and time holds: the reader's own clock, to the minute. */

const two = (value: number): string => String(value).padStart(2, '0');

export function toLocal(time: string | null | undefined): string {
  if (time === null || time === undefined || time === '') return '';
  const at = new Date(time);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** null: no time. */
export const fromLocal = (text: string): string | null => (text === '' ? null : new Date(text).toISOString());
