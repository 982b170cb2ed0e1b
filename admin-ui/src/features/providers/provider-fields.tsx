/* What can be said about a provider, when it is made and later. */
import { ApiError } from '~/api/errors';
import type { Provider } from '~/api/types';
import { asArray, check, toForm, toWire, type FormErrors, type LimitsForm } from '~/features/limits/limits';
import { LimitsFields } from '~/features/limits/limits-fields';
import { fromLocal, toLocal } from '~/lib/local-time';
import { Row, TextField } from '~/ui/field';

export interface ProviderForm {
  name: string;
  note: string;
  expires: string;
  allowed: string;
  limits: LimitsForm;
}

export const formOf = (row?: Provider): ProviderForm => ({
  name: row?.name ?? '',
  note: row?.note ?? '',
  expires: toLocal(row?.expires_at),
  allowed: (row?.allowed_models ?? []).join('\n'),
  limits: toForm(row?.usage_limits, row?.rate_limits),
});

export function bodyOf(form: ProviderForm): Record<string, unknown> {
  const { usage_limits, rate_limits } = toWire(form.limits);
  return {
    name: form.name.trim(),
    note: form.note,
    expires_at: fromLocal(form.expires),
    allowed_models: form.allowed
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean),
    usage_limits: asArray(usage_limits)[0] ?? null,
    rate_limits,
  };
}

export function checkForm(form: ProviderForm): FormErrors {
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
  if (!(error instanceof ApiError)) return undefined;
  if (error.status === 409) return { slug: 'is taken by another provider of the workspace' };
  if (error.field === undefined) return undefined;
  const place = PLACES[error.field] ?? error.field;
  return /^(name|note|slug|expires_at|allowed_models|usage\.|rates\.)/.test(place) ? { [place]: error.rule } : undefined;
}

export function ProviderFields({
  form,
  onChange,
  errors,
}: {
  form: ProviderForm;
  onChange: (form: ProviderForm) => void;
  errors: FormErrors;
}) {
  const set = (change: Partial<ProviderForm>) => onChange({ ...form, ...change });
  return (
    <>
      <LimitsFields form={form.limits} onChange={(limits) => set({ limits })} errors={errors} ratesMax={4} />
      <Row>
        <TextField
          label="Expires"
          value={form.expires}
          onChange={(expires) => set({ expires })}
          type="datetime-local"
          required={false}
          error={errors.expires_at}
          help="From then on it refuses."
        />
      </Row>
      <TextField
        label="Only these models"
        value={form.allowed}
        onChange={(allowed) => set({ allowed })}
        rows={3}
        mono
        required={false}
        error={errors.allowed_models}
        placeholder={'gpt-4o-mini\no1-*'}
        help="One a line, * stands for anything. Empty: all that the integration offers."
      />
      <TextField
        label="Note"
        value={form.note}
        onChange={(note) => set({ note })}
        rows={2}
        required={false}
        error={errors.note}
      />
    </>
  );
}
