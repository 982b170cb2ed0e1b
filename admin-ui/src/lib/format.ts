/* Figures and times as people read them. */
import { grouped, plain, shift } from './decimal';

/** 128000 -> "128K", 1048576 -> "1.05M": for sizes of contexts, where three digits say enough. */
export function short(value: number): string {
  const steps: [number, string][] = [
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'K'],
  ];
  for (const [step, sign] of steps) {
    if (value < step) continue;
    const scaled = value / step;
    return `${Number(scaled.toFixed(scaled < 10 ? 2 : scaled < 100 ? 1 : 0))}${sign}`;
  }
  return String(value);
}

export const count = (value: number): string => grouped(String(value));

export const plural = (value: number, one: string, many = `${one}s`): string => `${count(value)} ${value === 1 ? one : many}`;

/** US dollars from decimal text or a number: "$1,234.5" -> "$1,234.50"; small amounts keep their digits. */
export function usd(value: string | number): string {
  const text = plain(String(value));
  if (text === undefined) return String(value);
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const cents = fraction.length < 2 ? fraction.padEnd(2, '0') : fraction;
  const body = fraction === '' && whole !== '0' ? grouped(whole) : `${grouped(whole)}.${cents}`;
  return `${text.startsWith('-') ? '−' : ''}$${text === '0' ? '0' : body}`;
}

/** A unit price in pico-USD as US dollars per million units. */
export const perMillion = (picousd: number): string => usd(shift(String(picousd), -6) ?? '0');

/** A unit price in pico-USD as US dollars per unit. */
export const perUnit = (picousd: number): string => usd(shift(String(picousd), -12) ?? '0');

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const minute = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
});

const monthOnly = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric', timeZone: 'UTC' });

/** Of a date such as "2024-05-13" or "2024-05". */
export const month = (text: string): string => monthOnly.format(new Date(text));
export const date = (time: string): string => day.format(new Date(time));
export const dateTime = (time: string): string => minute.format(new Date(time));

const AGO: [number, Intl.RelativeTimeFormatUnit][] = [
  [31_536_000, 'year'],
  [2_592_000, 'month'],
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
];
const relative = new Intl.RelativeTimeFormat('en-GB', { numeric: 'auto' });

/** "3 hours ago", "in 2 days". */
export function ago(time: string, now = Date.now()): string {
  const seconds = (new Date(time).getTime() - now) / 1000;
  for (const [size, unit] of AGO) if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  return 'just now';
}

export const ms = (value: number): string =>
  value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)} s`;
