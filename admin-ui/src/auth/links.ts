/** "#/invite?token=T", as links have it, as an address of this console; undefined: it is none. */
export function addressOf(hash: string): string | undefined {
  const match = /^#\/(invite|reset)\?token=([^&]+)$/.exec(hash);
  return match === null ? undefined : `/${match[1] ?? ''}#${match[2] ?? ''}`;
}
