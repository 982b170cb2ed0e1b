/* What stands in the fields of an integration's form, and the bodies made of it. */
import type { Integration } from '~/api/types';
import { isSecret, type FieldSpec } from './specs';

export interface Deployment {
  azure_deployment_name: string;
  azure_model_slug: string;
  azure_api_version: string;
  alias: string;
  is_default: boolean;
}

export interface HeaderRow {
  name: string;
  value: string;
}

export interface Values {
  texts: Record<string, string>;
  flags: Record<string, boolean>;
  deployments: Deployment[];
  headers: HeaderRow[];
  /** Secrets that are kept as they are: their fields show the mask. */
  kept: Record<string, string>;
}

export const NEW_DEPLOYMENT: Deployment = {
  azure_deployment_name: '',
  azure_model_slug: '',
  azure_api_version: '2024-10-21',
  alias: '',
  is_default: false,
};
export const NEW_HEADER: HeaderRow = { name: '', value: '' };

export function emptyValues(fields: readonly FieldSpec[]): Values {
  const texts: Record<string, string> = {};
  for (const field of fields) if (field.initial !== undefined) texts[field.name] = field.initial;
  const needsDeployment = fields.some((field) => field.kind === 'deployments');
  return {
    texts,
    flags: {},
    deployments: needsDeployment ? [{ ...NEW_DEPLOYMENT, is_default: true }] : [],
    headers: [],
    kept: {},
  };
}

export const isShown = (field: FieldSpec, values: Values): boolean =>
  Object.entries(field.when ?? {}).every(([name, wanted]) => wanted.includes(values.texts[name] ?? ''));

const textOf = (value: unknown): string => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '');

function readDeployments(value: unknown): Deployment[] {
  if (!Array.isArray(value)) return [];
  return (value as Record<string, unknown>[]).map((row) => ({
    azure_deployment_name: textOf(row.azure_deployment_name),
    azure_model_slug: textOf(row.azure_model_slug),
    azure_api_version: textOf(row.azure_api_version),
    alias: textOf(row.alias),
    is_default: row.is_default === true,
  }));
}

/** The form of what is stored. */
export function readValues(fields: readonly FieldSpec[], stored: Integration): Values {
  const values = emptyValues(fields);
  const config = stored.configurations;
  values.deployments = [];
  for (const field of fields) {
    const mask = field.name === 'key' ? stored.masked_key : config[`masked_${field.name}`];
    if (field.kind === 'deployments') values.deployments = readDeployments(config[field.name]);
    else if (field.name === 'passthrough') values.flags[field.name] = stored.passthrough === true;
    else if (field.name === 'api_dialect') values.texts[field.name] = stored.api_dialect ?? field.initial ?? '';
    else if (field.kind === 'hosts')
      values.texts[field.name] = Array.isArray(config[field.name])
        ? (config[field.name] as unknown[]).map(textOf).join('\n')
        : '';
    else if (!isSecret(field)) values.texts[field.name] = textOf(config[field.name]) || (values.texts[field.name] ?? '');
    else if (typeof mask === 'string') values.kept[field.name] = mask;
    else if (mask !== undefined && mask !== null) values.kept[field.name] = Object.keys(mask).join(', ');
  }
  return values;
}

const trimmed = (values: Values, name: string): string => (values.texts[name] ?? '').trim();

function deploymentBody(row: Deployment): Record<string, unknown> {
  const { alias, is_default, ...rest } = row;
  const body: Record<string, unknown> = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, value.trim()]));
  if (alias.trim() !== '') body.alias = alias.trim();
  return { ...body, is_default };
}

/** A configuration member's value; undefined: it is not sent. */
function memberOf(field: FieldSpec, values: Values): unknown {
  if (field.kind === 'deployments') return values.deployments.length === 0 ? undefined : values.deployments.map(deploymentBody);
  if (field.kind === 'headers') {
    const rows = values.headers.filter((row) => row.name.trim() !== '');
    return rows.length === 0 ? undefined : Object.fromEntries(rows.map((row) => [row.name.trim(), row.value]));
  }
  const text = trimmed(values, field.name);
  if (text === '') return undefined;
  if (field.kind === 'json') return JSON.parse(text) as unknown;
  if (field.kind === 'hosts') return text.split(/[\s,]+/).filter(Boolean);
  return text;
}

export interface CredentialsBody {
  key?: string | null;
  api_dialect?: string;
  passthrough?: boolean;
  configurations: Record<string, unknown>;
}

const ASIDE = ['key', 'api_dialect', 'passthrough'];

/** What is sent. `stored`: what is there already; members that the form does not know stay, secrets not replaced stay, and a secret of
 * a kind of sign-in that was left goes. */
export function toBody(fields: readonly FieldSpec[], values: Values, stored?: Integration): CredentialsBody {
  const body: CredentialsBody = { configurations: {} };
  for (const [name, value] of Object.entries(stored?.configurations ?? {}))
    if (!name.startsWith('masked_') && !fields.some((field) => field.name === name)) body.configurations[name] = value;
  for (const field of fields) {
    const shown = isShown(field, values);
    if (values.kept[field.name] !== undefined) {
      const wanted = fields.some((other) => other.name === field.name && isShown(other, values));
      if (!wanted && field.name === 'key') body.key = null;
      else if (!wanted) body.configurations[field.name] = null;
      continue;
    }
    if (!shown || ASIDE.includes(field.name)) continue;
    const value = memberOf(field, values);
    if (value !== undefined) body.configurations[field.name] = value;
  }
  const key = trimmed(values, 'key');
  if (key !== '' && fields.some((field) => field.name === 'key' && isShown(field, values))) body.key = key;
  if (fields.some((field) => field.name === 'api_dialect')) body.api_dialect = trimmed(values, 'api_dialect');
  if (values.flags.passthrough !== undefined) body.passthrough = values.flags.passthrough;
  return body;
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

export type Faults = Record<string, string>;

function faultOfDeployments(values: Values): string | undefined {
  if (values.deployments.length === 0) return 'needs at least one';
  const missing = values.deployments.some((row) =>
    [row.azure_deployment_name, row.azure_model_slug, row.azure_api_version].some((text) => text.trim() === ''),
  );
  if (missing) return 'each needs a deployment name, a model and an API version';
  const names = values.deployments.map((row) => row.alias.trim() || row.azure_deployment_name.trim());
  return new Set(names).size < names.length ? 'two have the same alias' : undefined;
}

/** Faults that need no server, by field. */
export function checkValues(fields: readonly FieldSpec[], values: Values): Faults {
  const faults: Faults = {};
  for (const field of fields) {
    if (!isShown(field, values) || values.kept[field.name] !== undefined) continue;
    const text = trimmed(values, field.name);
    if (field.kind === 'deployments') {
      const fault = faultOfDeployments(values);
      if (fault !== undefined) faults[field.name] = fault;
    } else if (field.kind === 'headers') {
      if (values.headers.some((row) => (row.name.trim() === '') !== (row.value === '')))
        faults[field.name] = 'each needs a name and a value';
    } else if (text === '' && field.required === true) faults[field.name] = 'is required';
    else if (text !== '' && field.kind === 'json' && !isJsonObject(text)) faults[field.name] = 'must be a JSON object';
  }
  return faults;
}

/** The field of this form that a refusal of the API is about; its path may name a member, or something inside one. */
export function fieldOf(path: string, fields: readonly FieldSpec[]): string | undefined {
  const name = path.startsWith('configurations.') ? path.slice('configurations.'.length) : path;
  const head = name.split('.')[0] ?? name;
  return fields.find((field) => field.name === head)?.name;
}
