/* Prices as people say them: per million tokens, per image, per minute. */
import { shift } from '~/lib/decimal';
import { count, usd } from '~/lib/format';

export interface PriceLine {
  label: string;
  /** When it holds; empty: always. */
  note: string;
  price: string;
  per: string;
}

const LABELS: Record<string, string> = {
  input_token: 'Input',
  output_token: 'Output',
  cache_read_token: 'Cached input',
  cache_write_token: 'Cache write',
  cache_write_1h_token: 'Cache write, 1 hour',
  reasoning_token: 'Reasoning',
  input_character: 'Input',
  input_image: 'Image input',
  megapixel: 'Image',
  request: 'Request',
};

/** Where units are counted one by one, people think in others: places to move the point, and their name. */
function scaleOf(unit: string): [number, string] | undefined {
  if (unit.endsWith('_token')) return [-6, '1M tokens'];
  if (unit.endsWith('_character')) return [-6, '1M characters'];
  if (unit.includes('search')) return [-9, '1,000 searches'];
  return undefined;
}

const SECONDS_PER_MINUTE = 60;

function amount(unit: string, picousd: number): { price: string; per: string } {
  const scale = scaleOf(unit);
  if (scale !== undefined) return { price: usd(shift(String(picousd), scale[0]) ?? '0'), per: scale[1] };
  if (unit.endsWith('_second')) return { price: usd(shift(String(picousd * SECONDS_PER_MINUTE), -12) ?? '0'), per: 'minute' };
  return { price: usd(shift(String(picousd), -12) ?? '0'), per: unit === 'input_image' ? 'image' : unit.replace(/_/g, ' ') };
}

function noteOf(variant: string): string {
  if (variant.startsWith('>')) return `prompts above ${count(Number(variant.slice(1)))}`;
  return variant.replace(/^tier=/, '');
}

function labelOf(unit: string): string {
  const words = unit.replace(/_(token|second|character)$/, '').replace(/_/g, ' ');
  return LABELS[unit] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

export function priceLines(prices: Record<string, number>): PriceLine[] {
  return Object.entries(prices).map(([name, picousd]) => {
    const colon = name.indexOf(':');
    const unit = colon < 0 ? name : name.slice(0, colon);
    return { label: labelOf(unit), note: colon < 0 ? '' : noteOf(name.slice(colon + 1)), ...amount(unit, picousd) };
  });
}
