/* What pages tell out of the product's own tables, read when the console is built: virtual:scopes (control-plane/auth/scopes.def) and
 * virtual:errors (common/status.def). A row that is not understood fails the build, so a page never tells half of a table. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

export interface ScopeRow {
  scope: string;
  /** Kinds of key that may hold it: O organisation-service, S workspace-service, U workspace-user; M: members may give it. */
  holders: string;
}

export interface ErrorRow {
  http: number;
  code: string;
  retryable: boolean;
  text: string;
}

const CRUDL = ['create', 'read', 'update', 'delete', 'list'];
const SCOPE = /^(SCOPE|SCOPES_CRUDL|SCOPES_CRUDL_M)\("([a-z_.]+)", ([OSUM](?: \| [OSUM])*)\)$/;
const STATUS = /^STATUS\(\w+,\s*(\d+),\s*"([a-z0-9_]*)",\s*"\w*",\s*([01]),\s*"(.*)"\)$/;

/** The rows of a table: what begins a line with `name`. */
function rowsOf(text: string, name: RegExp, row: RegExp): RegExpExecArray[] {
  return text
    .split('\n')
    .filter((line) => name.test(line))
    .map((line) => {
      const match = row.exec(line.trimEnd());
      if (match === null) throw new Error(`no row of this table: ${line}`);
      return match;
    });
}

export function scopesOf(text: string): ScopeRow[] {
  return rowsOf(text, /^SCOPES?(_CRUDL|_CRUDL_M)?\(/, SCOPE).flatMap((match) => {
    const [macro, name, holders] = match.slice(1) as [string, string, string];
    const held = holders.replaceAll(' | ', '');
    if (macro === 'SCOPE') return [{ scope: name, holders: held }];
    const members = (action: string) => (macro === 'SCOPES_CRUDL_M' && (action === 'read' || action === 'list') ? 'M' : '');
    return CRUDL.map((action) => ({ scope: `${name}.${action}`, holders: held + members(action) }));
  });
}

export function errorsOf(text: string): ErrorRow[] {
  return rowsOf(text, /^STATUS\(/, STATUS)
    .map((match) => {
      const [http, code, retryable, words] = match.slice(1) as [string, string, string, string];
      return { http: Number(http), code, retryable: retryable === '1', text: words.replaceAll('\\"', '"') };
    })
    .filter((row) => row.code !== '' && row.http >= 400);
}

export const TABLES = {
  'virtual:scopes': { path: '../../control-plane/auth/scopes.def', read: scopesOf },
  'virtual:errors': { path: '../../common/status.def', read: errorsOf },
} as const;

const fileOf = (id: keyof typeof TABLES): string => fileURLToPath(new URL(TABLES[id].path, import.meta.url));

export const tableText = (id: keyof typeof TABLES): string => readFileSync(fileOf(id), 'utf8');

const isTable = (id: string): id is keyof typeof TABLES => id in TABLES;

export function defs(): Plugin {
  return {
    name: 'sluice-defs',
    resolveId: (id) => (isTable(id) ? `\0${id}` : undefined),
    load(id) {
      const name = id.slice(1);
      if (!id.startsWith('\0') || !isTable(name)) return undefined;
      this.addWatchFile(fileOf(name));
      return `export default ${JSON.stringify(TABLES[name].read(tableText(name)))};`;
    },
  };
}
