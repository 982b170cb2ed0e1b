/* A key between the wire and its form. */
import { ApiError } from '~/api/errors';
import type { ApiKey, KeyKind } from '~/api/types';
import { asArray, check, toForm, toWire, type FormErrors, type LimitsForm } from '~/features/limits/limits';
import { fromLocal, toLocal } from '~/lib/local-time';

export interface KeyForm {
  kind: KeyKind;
  name: string;
  description: string;
  /** Of a key that belongs to a person. */
  user: string;
  scopes: string[];
  limits: LimitsForm;
  expires: string;
  /** Slug of the config that holds when a request names none; empty: none. */
  config: string;
  allowed: string;
}

export const formOf = (kind: KeyKind, row?: ApiKey): KeyForm => ({
  kind,
  name: row?.name ?? '',
  description: row?.description ?? '',
  user: row?.user_id ?? '',
  scopes: row?.scopes ?? [],
  limits: toForm(row?.usage_limits, row?.rate_limits),
  expires: toLocal(row?.expires_at),
  config: row?.defaults?.config_id ?? '',
  allowed: (row?.allowed_models ?? []).join('\n'),
});

export function bodyOf(form: KeyForm): Record<string, unknown> {
  const { usage_limits, rate_limits } = toWire(form.limits);
  return {
    name: form.name.trim(),
    description: form.description.trim(),
    scopes: form.scopes,
    usage_limits: asArray(usage_limits)[0] ?? null,
    rate_limits,
    expires_at: fromLocal(form.expires),
    ...(form.kind !== 'organisation-service' && {
      defaults: { config_id: form.config === '' ? null : form.config },
      allowed_models: form.allowed
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean),
    }),
    ...(form.kind === 'workspace-user' && { user_id: form.user }),
  };
}

/** The path that makes a key of this kind. */
export const pathOf = (kind: KeyKind): string => `/api-keys/${kind.replace('-', '/')}`;

export function checkForm(form: KeyForm): FormErrors {
  const errors = check(form.limits);
  if (form.name.trim() === '') errors.name = 'is required';
  if (form.scopes.length === 0) errors.scopes = 'choose at least one';
  if (form.kind === 'workspace-user' && form.user === '') errors.user_id = 'choose a member';
  return errors;
}

const PLACES: Record<string, string> = {
  'usage_limits.credit_limit': 'usage.0.amount',
  'usage_limits.alert_threshold': 'usage.0.alert',
  'usage_limits.periodic_reset_days': 'usage.0.days',
  'rate_limits.value': 'rates.0.value',
  'defaults.config_id': 'config',
  config_id: 'config',
};
const SHOWN = /^(name|description|scopes|user_id|expires_at|config|allowed_models|usage\.|rates\.)/;

/** Where the API's refusal belongs in this form; undefined: nowhere in it. */
export function placeOf(error: unknown): FormErrors | undefined {
  if (!(error instanceof ApiError) || error.field === undefined) return undefined;
  const place = PLACES[error.field] ?? error.field;
  return SHOWN.test(place) ? { [place]: error.rule } : undefined;
}
