/* Decimal texts, moved and written without floating point: prices are people's money. */

interface Parts {
  minus: string;
  digits: string;
  scale: number; // digits behind the point
}

const NUMBER = /^(-?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

function parse(text: string): Parts | undefined {
  const match = NUMBER.exec(text.trim());
  if (match === null || (match[2] === '' && (match[3] ?? '') === '')) return undefined;
  const fraction = match[3] ?? '';
  return { minus: match[1] ?? '', digits: (match[2] ?? '') + fraction, scale: fraction.length - Number(match[4] ?? 0) };
}

function write({ minus, digits, scale }: Parts): string {
  const padded = scale < 0 ? digits + '0'.repeat(-scale) : digits;
  const behind = Math.max(0, scale);
  const full = padded.padStart(behind + 1, '0');
  const whole = full.slice(0, full.length - behind).replace(/^0+(?=\d)/, '');
  const fraction = full.slice(full.length - behind).replace(/0+$/, '');
  const text = fraction === '' ? whole : `${whole}.${fraction}`;
  return text === '0' ? '0' : minus + text;
}

/** A number as plain decimal text: no exponent, no zeros at the end. undefined: it is no number. */
export function plain(text: string): string | undefined {
  const parts = parse(text);
  return parts && write(parts);
}

/** The number times 10^places, exactly. undefined: it is no number. */
export function shift(text: string, places: number): string | undefined {
  const parts = parse(text);
  return parts && write({ ...parts, scale: parts.scale - places });
}

/** Groups of three digits. */
export function grouped(text: string): string {
  const [whole = '', fraction] = text.split('.');
  const head = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  return fraction === undefined ? head : `${head}.${fraction}`;
}
