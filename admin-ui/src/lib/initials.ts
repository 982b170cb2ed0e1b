/* One or two letters and one of HUES colours for a name; the same name always gets the same. */
export const HUES = 8;

export function initialsOf(name: string): string {
  const words = name
    .replace(/\(.*?\)/g, '')
    .split(/[\s._/-]+/)
    .filter(Boolean);
  const first = words[0] ?? '?';
  const second = words[1]?.[0] ?? /[a-z]([A-Z])/.exec(first)?.[1] ?? '';
  return (first.charAt(0) + second).toUpperCase();
}

export function hueOf(name: string): number {
  let hash = 2166136261;
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16777619) >>> 0;
  return (hash >>> 8) % HUES;
}
