/* Budgets and rate limits as fields: in a dialog, or inside a form. */
import { Plus, Trash2 } from 'lucide-react';
import { Button, IconButton } from '~/ui/button';
import { Select, type Option } from '~/ui/choice';
import { FieldSet, TextField } from '~/ui/field';
import css from './limits-fields.module.css';
import {
  NEW_RATE,
  NEW_USAGE,
  UNIT_WORDS,
  type FormErrors,
  type LimitsForm,
  type Period,
  type RateRow,
  type UsageRow,
  type UsageType,
} from './limits';

const USAGE_TYPES: Option<UsageType>[] = [
  { id: 'cost', label: 'Cost' },
  { id: 'tokens', label: 'Tokens' },
  { id: 'requests', label: 'Requests' },
];
const PERIODS: Option<Period>[] = [
  { id: 'never', label: 'Never' },
  { id: 'weekly', label: 'Every week', note: 'Sunday, 00:00' },
  { id: 'monthly', label: 'Every month', note: 'the 1st, 00:00' },
  { id: 'days', label: 'Every … days' },
];
const RATE_TYPES: Option<RateRow['type']>[] = [
  { id: 'requests', label: 'Requests' },
  { id: 'tokens', label: 'Tokens' },
  { id: 'concurrency', label: 'Requests at once' },
];
const UNITS = (Object.keys(UNIT_WORDS) as RateRow['unit'][]).map((id) => ({ id, label: `per ${UNIT_WORDS[id]}` }));

interface RowProps<T> {
  row: T;
  at: string;
  errors: FormErrors;
  onChange: (row: T) => void;
  onRemove: () => void;
}

function Usage({ row, at, errors, onChange, onRemove }: RowProps<UsageRow>) {
  return (
    <div className={css.row}>
      <div className={css.line}>
        <Select label="Limit on" value={row.type} options={USAGE_TYPES} onChange={(type) => onChange({ ...row, type })} />
        <TextField
          label="At most"
          value={row.amount}
          onChange={(amount) => onChange({ ...row, amount })}
          numeric
          {...(row.type === 'cost' && { before: '$' })}
          error={errors[`${at}.amount`]}
        />
        <TextField
          label="Warn at"
          required={false}
          value={row.alert}
          onChange={(alert) => onChange({ ...row, alert })}
          numeric
          {...(row.type === 'cost' && { before: '$' })}
          error={errors[`${at}.alert`]}
        />
        <Select label="Starts anew" value={row.period} options={PERIODS} onChange={(period) => onChange({ ...row, period })} />
        {row.period === 'days' && (
          <TextField
            label="Days"
            value={row.days}
            onChange={(days) => onChange({ ...row, days })}
            numeric
            error={errors[`${at}.days`]}
          />
        )}
      </div>
      <IconButton label="Remove budget" icon={Trash2} onPress={onRemove} />
    </div>
  );
}

function Rate({ row, at, errors, onChange, onRemove }: RowProps<RateRow>) {
  return (
    <div className={css.row}>
      <div className={css.line}>
        <Select label="Limit on" value={row.type} options={RATE_TYPES} onChange={(type) => onChange({ ...row, type })} />
        <TextField
          label="At most"
          value={row.value}
          onChange={(value) => onChange({ ...row, value })}
          numeric
          error={errors[`${at}.value`]}
        />
        {row.type !== 'concurrency' && (
          <Select label="Window" value={row.unit} options={UNITS} onChange={(unit) => onChange({ ...row, unit })} />
        )}
      </div>
      <IconButton label="Remove rate limit" icon={Trash2} onPress={onRemove} />
    </div>
  );
}

interface LimitsFieldsProps {
  form: LimitsForm;
  onChange: (form: LimitsForm) => void;
  errors: FormErrors;
  /** How many of each the place takes. */
  usageMax?: number;
  ratesMax?: number;
}

const replaced = <T,>(rows: T[], index: number, row: T): T[] => rows.map((old, i) => (i === index ? row : old));
const removed = <T,>(rows: T[], index: number): T[] => rows.filter((_, i) => i !== index);

export function LimitsFields({ form, onChange, errors, usageMax = 1, ratesMax = 1 }: LimitsFieldsProps) {
  const { usage, rates } = form;
  return (
    <div className={css.limits}>
      <FieldSet
        title="Budget"
        note={usage.length === 0 ? 'No budget: what is used is counted, and nothing is refused for it.' : undefined}
      >
        {usage.map((row, i) => (
          <Usage
            key={i}
            row={row}
            at={`usage.${i}`}
            errors={errors}
            onChange={(next) => onChange({ ...form, usage: replaced(usage, i, next) })}
            onRemove={() => onChange({ ...form, usage: removed(usage, i) })}
          />
        ))}
        {usage.length < usageMax && (
          <div>
            <Button small icon={Plus} onPress={() => onChange({ ...form, usage: [...usage, NEW_USAGE] })}>
              Add budget
            </Button>
          </div>
        )}
      </FieldSet>
      <FieldSet
        title="Rate limit"
        note={rates.length === 0 ? 'No rate limit: requests are taken as fast as they come.' : undefined}
      >
        {rates.map((row, i) => (
          <Rate
            key={i}
            row={row}
            at={`rates.${i}`}
            errors={errors}
            onChange={(next) => onChange({ ...form, rates: replaced(rates, i, next) })}
            onRemove={() => onChange({ ...form, rates: removed(rates, i) })}
          />
        ))}
        {rates.length < ratesMax && (
          <div>
            <Button small icon={Plus} onPress={() => onChange({ ...form, rates: [...rates, NEW_RATE] })}>
              Add rate limit
            </Button>
          </div>
        )}
      </FieldSet>
    </div>
  );
}
