/* virtual:guide, the pages of docs/ as plain data: parsed when the console is built, so that the browser gets no Markdown and no HTML.
 * What a page may use is what the guide can show (src/features/guide). Anything else, and a link that leads nowhere, fails the build. */
import { lexer, type Token, type Tokens } from 'marked';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

export type Inline =
  | { kind: 'text' | 'code'; text: string }
  | { kind: 'strong' | 'em'; children: Inline[] }
  /** `to`: "page" or "page#heading" of the guide. */
  | { kind: 'link'; to: string; children: Inline[] };

export type Block =
  | { kind: 'heading'; level: number; id: string; text: string }
  | { kind: 'paragraph'; children: Inline[] }
  | { kind: 'code'; language: string; text: string }
  | { kind: 'list'; ordered: boolean; items: Block[][] }
  | { kind: 'table'; head: Inline[][]; rows: Inline[][][] }
  /** The table of error codes. */
  | { kind: 'errors' };

export interface GuidePage {
  id: string;
  title: string;
  blocks: Block[];
}

const LANGUAGES = ['bash', 'python', 'javascript', 'json', 'env', 'text'];
const PAGE = /^\d\d-([a-z0-9-]+)\.md$/;

export const idOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

function refuse(what: string): never {
  throw new Error(`the guide cannot show ${what}`);
}

/** "02-limits.md#resets" as "limits#resets", "#resets" as "this#resets". */
function targetOf(href: string, page: string): string {
  const [file = '', heading] = href.split('#');
  const name = file === '' ? page : PAGE.exec(file)?.[1];
  if (name === undefined) refuse(`a link to ${href}`);
  return heading === undefined ? name : `${name}#${heading}`;
}

function inlines(tokens: Token[] | undefined, page: string): Inline[] {
  return (tokens ?? []).flatMap((token): Inline[] => {
    const { type } = token;
    if ('tokens' in token && type === 'text') return inlines(token.tokens, page);
    if (type === 'text' || type === 'escape') return [{ kind: 'text', text: (token as Tokens.Text).text }];
    if (type === 'codespan') return [{ kind: 'code', text: (token as Tokens.Codespan).text }];
    const { tokens: inner } = token as Tokens.Strong;
    if (type === 'strong' || type === 'em') return [{ kind: type, children: inlines(inner, page) }];
    if (type === 'link')
      return [{ kind: 'link', to: targetOf((token as Tokens.Link).href, page), children: inlines(inner, page) }];
    return refuse(`"${type}" in ${page}: ${token.raw}`);
  });
}

function blockOf(token: Token, page: string): Block[] {
  switch (token.type) {
    case 'space':
      return [];
    case 'heading': {
      const { depth, text } = token as Tokens.Heading;
      return [{ kind: 'heading', level: depth, id: idOf(text), text }];
    }
    case 'paragraph':
      if (token.raw.trim() === '{{errors}}') return [{ kind: 'errors' }];
      return [{ kind: 'paragraph', children: inlines((token as Tokens.Paragraph).tokens, page) }];
    case 'text': // of a list's item
      return [{ kind: 'paragraph', children: inlines([token], page) }];
    case 'code': {
      const { lang = '', text } = token as Tokens.Code;
      if (!LANGUAGES.includes(lang)) refuse(`code in "${lang}" in ${page}`);
      return [{ kind: 'code', language: lang, text }];
    }
    case 'list': {
      const { ordered, items } = token as Tokens.List;
      return [{ kind: 'list', ordered, items: items.map((item) => blocksOf(item.tokens, page)) }];
    }
    case 'table': {
      const { header, rows } = token as Tokens.Table;
      const cells = (row: Tokens.TableCell[]) => row.map((cell) => inlines(cell.tokens, page));
      return [{ kind: 'table', head: cells(header), rows: rows.map(cells) }];
    }
    default:
      return refuse(`"${token.type}" in ${page}: ${token.raw}`);
  }
}

const blocksOf = (tokens: Token[], page: string): Block[] => tokens.flatMap((token) => blockOf(token, page));

/** One page; it begins with its title. */
export function pageOf(id: string, text: string): GuidePage {
  const [title, ...blocks] = blocksOf(lexer(text), id);
  if (title?.kind !== 'heading' || title.level !== 1) refuse(`${id} without a title`);
  const ids = blocks.flatMap((block) => (block.kind === 'heading' ? [block.id] : []));
  if (new Set(ids).size !== ids.length) refuse(`a heading twice in ${id}`);
  return { id, title: title.text, blocks };
}

/** All that links lead to, in the order of the page. */
export function linksOf(page: GuidePage): string[] {
  const ofInlines = (all: Inline[]): string[] =>
    all.flatMap((one) => ('children' in one ? [...(one.kind === 'link' ? [one.to] : []), ...ofInlines(one.children)] : []));
  const ofBlocks = (all: Block[]): string[] =>
    all.flatMap((block) => {
      if (block.kind === 'paragraph') return ofInlines(block.children);
      if (block.kind === 'list') return block.items.flatMap(ofBlocks);
      if (block.kind === 'table') return [...block.head, ...block.rows.flat()].flatMap(ofInlines);
      return [];
    });
  return ofBlocks(page.blocks);
}

/** The links of `pages` that lead nowhere. */
export function brokenLinks(pages: GuidePage[]): string[] {
  const places = new Set(
    pages.flatMap(({ id, blocks }) => [
      id,
      ...blocks.flatMap((block) => (block.kind === 'heading' ? [`${id}#${block.id}`] : [])),
    ]),
  );
  return pages.flatMap((page) =>
    linksOf(page)
      .filter((to) => !places.has(to))
      .map((to) => `${page.id} -> ${to}`),
  );
}

const FOLDER = fileURLToPath(new URL('../docs/', import.meta.url));

/** Names and texts of the pages, in their order. */
export function guideTexts(): { id: string; file: string; text: string }[] {
  return readdirSync(FOLDER)
    .sort()
    .flatMap((name) => {
      const id = PAGE.exec(name)?.[1];
      return id === undefined ? [] : [{ id, file: FOLDER + name, text: readFileSync(FOLDER + name, 'utf8') }];
    });
}

export function guidePages(): GuidePage[] {
  const pages = guideTexts().map(({ id, text }) => pageOf(id, text));
  const broken = brokenLinks(pages);
  if (broken.length > 0) refuse(`links that lead nowhere: ${broken.join(', ')}`);
  return pages;
}

export function guide(): Plugin {
  const ID = 'virtual:guide';
  return {
    name: 'sluice-guide',
    resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
    load(id) {
      if (id !== `\0${ID}`) return undefined;
      for (const { file } of guideTexts()) this.addWatchFile(file);
      return `export default ${JSON.stringify(guidePages())};`;
    },
  };
}
