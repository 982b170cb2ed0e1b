/* A workspace's settings between the wire and their form. Limits and what the organisation decides go along only when the organisation
 * asks: a key of the workspace may not change them. */
import { ApiError } from '~/api/errors';
import type { Workspace } from '~/api/types';
import { check, toForm, toWire, type FormErrors, type LimitsForm } from '~/features/limits/limits';

export interface SettingsForm {
  name: string;
  icon: string;
  description: string;
  /** AS_ORGANISATION: as the organisation says. */
  integrations: string;
  mode: string;
  limits: LimitsForm;
}

export const AS_ORGANISATION = '-';

export const formOf = (row: Workspace): SettingsForm => ({
  name: row.name,
  icon: row.icon ?? '',
  description: row.description ?? '',
  integrations: row.workspace_integrations ?? AS_ORGANISATION,
  mode: row.default_limit_mode ?? AS_ORGANISATION,
  limits: toForm(row.usage_limits, row.rate_limits),
});

const word = (value: string): string | null => (value === AS_ORGANISATION ? null : value);

export const bodyOf = (form: SettingsForm, governs: boolean): Record<string, unknown> => ({
  name: form.name.trim(),
  icon: form.icon.trim(),
  description: form.description.trim(),
  ...(governs && {
    ...toWire(form.limits),
    workspace_integrations: word(form.integrations),
    default_limit_mode: word(form.mode),
  }),
});

export function checkForm(form: SettingsForm): FormErrors {
  const errors = check(form.limits);
  if (form.name.trim() === '') errors.name = 'is required';
  return errors;
}

const PLACES: Record<string, string> = {
  'usage_limits.credit_limit': 'usage.0.amount',
  'usage_limits.alert_threshold': 'usage.0.alert',
  'usage_limits.periodic_reset_days': 'usage.0.days',
  'rate_limits.value': 'rates.0.value',
};

/** Where the API's refusal belongs in this form; undefined: nowhere in it. */
export function placeOf(error: unknown): FormErrors | undefined {
  if (!(error instanceof ApiError) || error.field === undefined) return undefined;
  const place = PLACES[error.field] ?? error.field;
  return /^(name|icon|description|usage\.|rates\.)/.test(place) ? { [place]: error.rule } : undefined;
}
