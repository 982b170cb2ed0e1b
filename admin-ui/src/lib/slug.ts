/** A slug made of a name, in the API's alphabet: what the field suggests until somebody writes their own. */
export function slugOf(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
}

/** `slug`, or with the first number behind it that makes it new. */
export function freeSlug(slug: string, taken: readonly string[]): string {
  if (!taken.includes(slug)) return slug;
  for (let i = 2; ; i++) if (!taken.includes(`${slug}-${i}`)) return `${slug}-${i}`;
}
