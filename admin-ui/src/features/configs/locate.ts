/* Where a path such as "config.targets[1].weight" stands in a document's text. The API names what it refuses by path; people look for
 * a line. The text is JSON that was parsed before. */

interface Cursor {
  text: string;
  at: number;
}

type Step = string | number;

/** "config.targets[1].weight" -> ["targets", 1, "weight"]; the first word names the document itself. */
export function stepsOf(path: string): Step[] {
  const words = path.match(/[^.[\]]+|\[\d+\]/g) ?? [];
  return words.slice(words[0] === 'config' ? 1 : 0).map((word) => (word.startsWith('[') ? Number(word.slice(1, -1)) : word));
}

function blank(c: Cursor): void {
  while (/\s/.test(c.text[c.at] ?? '')) c.at++;
}

function skipString(c: Cursor): string {
  const start = c.at++;
  while (c.at < c.text.length && c.text[c.at] !== '"') c.at += c.text[c.at] === '\\' ? 2 : 1;
  c.at++;
  return JSON.parse(c.text.slice(start, c.at)) as string;
}

/** Goes behind the value that begins here; `each` is told of every member or item, with where it begins. */
function skipValue(c: Cursor, each?: (step: Step, keyAt: number) => boolean): boolean {
  blank(c);
  const open = c.text[c.at];
  if (open === '"') {
    skipString(c);
    return false;
  }
  if (open !== '{' && open !== '[') {
    while (c.at < c.text.length && !/[\s,\]}]/.test(c.text[c.at] ?? '')) c.at++;
    return false;
  }
  c.at++;
  for (let index = 0; ; index++) {
    blank(c);
    if (c.at >= c.text.length || c.text[c.at] === '}' || c.text[c.at] === ']') break;
    const keyAt = c.at;
    let step: Step = index;
    if (open === '{') {
      step = skipString(c);
      blank(c);
      c.at++; // the colon
      blank(c);
    }
    if (each?.(step, keyAt) === true) return true;
    skipValue(c);
    blank(c);
    if (c.text[c.at] === ',') c.at++;
  }
  c.at++;
  return false;
}

const same = (found: Step, wanted: Step): boolean =>
  found === wanted ||
  (typeof found === 'string' &&
    typeof wanted === 'string' &&
    found.replace(/[A-Z]/g, (big) => `_${big.toLowerCase()}`) === wanted);

/** [begin, end) of what the path names, or of the deepest part of it that is there. */
export function locate(text: string, path: string): [number, number] {
  const c: Cursor = { text, at: 0 };
  let begin = 0;
  for (const wanted of stepsOf(path)) {
    const found = skipValue(c, (step, keyAt) => {
      if (!same(step, wanted)) return false;
      begin = keyAt;
      return true;
    });
    if (!found) {
      c.at = begin;
      break;
    }
  }
  if (text[begin] === '"' && c.at > begin) skipValue(c);
  else {
    c.at = begin;
    skipValue(c);
    if (text.slice(c.at).trimStart().startsWith(':')) {
      c.at += text.slice(c.at).indexOf(':') + 1;
      skipValue(c);
    }
  }
  return [begin, c.at];
}

/** Counted from 1. */
export const lineOf = (text: string, at: number): number => text.slice(0, at).split('\n').length;
