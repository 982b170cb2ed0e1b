/* Scopes in words: which a kind of key may hold, by what they are about, and the sets that people mean. Which scopes exist comes from the
 * product's table; those of things this console has no words for are not offered, and stay where a key has them. */
import type { KeyKind } from '~/api/types';
import type { ScopeRow } from '../../../tools/defs';

const HOLDER: Record<KeyKind, string> = { 'organisation-service': 'O', 'workspace-service': 'S', 'workspace-user': 'U' };

/** What a group of scopes is about, in the order of the page. */
const GROUPS: [string, string][] = [
  ['completions', 'Model calls'],
  ['passthrough', 'Passthrough calls'],
  ['models', 'Models'],
  ['providers', 'AI providers'],
  ['virtual_keys', 'Virtual keys'],
  ['configs', 'Configs'],
  ['policies', 'Policies'],
  ['analytics', 'Usage and cost'],
  ['logs', 'Usage records'],
  ['workspaces', 'Workspaces'],
  ['workspace_users', 'Members'],
  ['workspace_service_api_keys', 'Service keys'],
  ['workspace_user_api_keys', 'Keys of people'],
  ['workspace_integrations', 'Integrations of workspaces'],
  ['organisation_integrations', 'Integrations'],
  ['organisation_service_api_keys', 'Organisation keys'],
  ['organisation_users', 'Users'],
  ['organisation_settings', 'Organisation'],
  ['audit_logs', 'Audit log'],
];

export interface ScopeGroup {
  id: string;
  words: string;
  scopes: { scope: string; action: string }[];
}

const split = (scope: string): [string, string] => {
  const dot = scope.indexOf('.');
  return [scope.slice(0, dot), scope.slice(dot + 1)];
};

/** What a key of this kind can be given. */
export function groupsOf(kind: KeyKind, rows: readonly ScopeRow[]): ScopeGroup[] {
  const fit = rows.filter((row) => row.holders.includes(HOLDER[kind])).map((row) => row.scope);
  return GROUPS.map(([id, words]) => ({
    id,
    words,
    scopes: fit.filter((scope) => split(scope)[0] === id).map((scope) => ({ scope, action: split(scope)[1] })),
  })).filter((group) => group.scopes.length > 0);
}

export interface Preset {
  id: string;
  label: string;
  note: string;
  scopes: string[];
}

const READS = ['read', 'list', 'view'];
const CALLS = ['completions.write', 'models.list'];
const DEVELOPS = [
  ...CALLS,
  'providers.list',
  'providers.read',
  'configs.list',
  'configs.read',
  'analytics.view',
  'workspaces.list',
  'workspaces.read',
];

export function presetsOf(kind: KeyKind, rows: readonly ScopeRow[]): Preset[] {
  const all = groupsOf(kind, rows).flatMap((group) => group.scopes);
  const everything = all.map((one) => one.scope);
  const reads = all.filter((one) => READS.includes(one.action)).map((one) => one.scope);
  if (kind === 'organisation-service')
    return [
      { id: 'everything', label: 'Govern', note: 'Everything in the organisation', scopes: everything },
      { id: 'reads', label: 'Look', note: 'Read everything, change nothing', scopes: reads },
    ];
  return [
    { id: 'calls', label: 'Call models', note: 'For an application: calls, and which models there are', scopes: CALLS },
    { id: 'develops', label: 'Develop', note: 'Calls, and sees providers, configs and usage', scopes: DEVELOPS },
    { id: 'everything', label: 'Run the workspace', note: 'Everything inside this workspace', scopes: everything },
  ];
}

export const CUSTOM = 'custom';

/** The preset that has exactly these scopes, or CUSTOM. */
export function presetOf(presets: readonly Preset[], scopes: readonly string[]): string {
  const held = new Set(scopes);
  const same = presets.find((one) => one.scopes.length === held.size && one.scopes.every((scope) => held.has(scope)));
  return same?.id ?? CUSTOM;
}

/** "Call models", or how many. */
export function scopesWords(kind: KeyKind, scopes: readonly string[], rows: readonly ScopeRow[]): string {
  const presets = presetsOf(kind, rows);
  const preset = presets.find((one) => one.id === presetOf(presets, scopes));
  return preset?.label ?? (scopes.length === 1 ? (scopes[0] ?? '') : `${scopes.length} scopes`);
}
