/* The fields of a provider's credentials, as its spec says. Secrets that are stored show their mask until they are replaced. */
import { ChevronRight, Plus, Trash2, Undo2 } from 'lucide-react';
import { useState } from 'react';
import { cx } from '~/lib/cx';
import { Badge } from '~/ui/badge';
import { Button, IconButton } from '~/ui/button';
import { Select, Switch } from '~/ui/choice';
import { FieldSet, TextField } from '~/ui/field';
import field from '~/ui/field.module.css';
import css from './credentials.module.css';
import type { FieldSpec, Spec } from './specs';
import { isShown, NEW_DEPLOYMENT, NEW_HEADER, type Deployment, type Faults, type HeaderRow, type Values } from './values';

interface FieldsProps {
  values: Values;
  onChange: (values: Values) => void;
  faults: Faults;
}

function Masked({ spec, mask, onReplace }: { spec: FieldSpec; mask: string; onReplace: () => void }) {
  return (
    <div className={field.field}>
      <span className={field.label}>{spec.label}</span>
      <div className={css.masked}>
        <code>{mask}</code>
        <Button small onPress={onReplace}>
          Replace
        </Button>
      </div>
    </div>
  );
}

function Deployments({ values, onChange, faults }: FieldsProps) {
  const rows = values.deployments;
  const set = (index: number, change: Partial<Deployment>) =>
    onChange({
      ...values,
      deployments: rows.map((row, i) =>
        i === index ? { ...row, ...change } : change.is_default === true ? { ...row, is_default: false } : row,
      ),
    });
  return (
    <FieldSet title="Deployments" note="Developers name a deployment by its alias; without one the default answers.">
      {rows.map((row, i) => (
        <div key={i} className={css.item}>
          <div className={css.itemFields}>
            <TextField
              label="Deployment name"
              value={row.azure_deployment_name}
              onChange={(text) => set(i, { azure_deployment_name: text })}
              mono
            />
            <TextField
              label="Model"
              value={row.azure_model_slug}
              onChange={(text) => set(i, { azure_model_slug: text })}
              mono
              placeholder="gpt-4o"
            />
            <TextField
              label="API version"
              value={row.azure_api_version}
              onChange={(text) => set(i, { azure_api_version: text })}
              mono
            />
            <TextField label="Alias" value={row.alias} onChange={(text) => set(i, { alias: text })} mono required={false} />
          </div>
          <div className={css.itemSide}>
            {row.is_default ? (
              <Badge tone="accent">default</Badge>
            ) : (
              <Button small look="ghost" onPress={() => set(i, { is_default: true })}>
                Make default
              </Button>
            )}
            {rows.length > 1 && (
              <IconButton
                label="Remove deployment"
                icon={Trash2}
                small
                onPress={() => {
                  const left = rows.filter((_, k) => k !== i);
                  const [first, ...others] = left;
                  onChange({
                    ...values,
                    deployments: row.is_default && first ? [{ ...first, is_default: true }, ...others] : left,
                  });
                }}
              />
            )}
          </div>
        </div>
      ))}
      {faults.azure_deployment_config !== undefined && (
        <p className={field.error} data-fault tabIndex={-1}>
          Deployments: {faults.azure_deployment_config}
        </p>
      )}
      <div>
        <Button
          small
          icon={Plus}
          onPress={() => onChange({ ...values, deployments: [...rows, { ...NEW_DEPLOYMENT, is_default: rows.length === 0 }] })}
        >
          Add deployment
        </Button>
      </div>
    </FieldSet>
  );
}

function Headers({ spec, values, onChange, faults }: FieldsProps & { spec: FieldSpec }) {
  const rows = values.headers;
  const set = (index: number, change: Partial<HeaderRow>) =>
    onChange({ ...values, headers: rows.map((row, i) => (i === index ? { ...row, ...change } : row)) });
  return (
    <FieldSet title={spec.label} note={spec.help}>
      {rows.map((row, i) => (
        <div key={i} className={css.header}>
          <TextField label="Name" value={row.name} onChange={(name) => set(i, { name })} mono placeholder="x-tenant" />
          <TextField label="Value" value={row.value} onChange={(value) => set(i, { value })} secret />
          <IconButton
            label="Remove header"
            icon={Trash2}
            onPress={() => onChange({ ...values, headers: rows.filter((_, k) => k !== i) })}
          />
        </div>
      ))}
      {faults[spec.name] !== undefined && (
        <p className={field.error} data-fault tabIndex={-1}>
          {faults[spec.name]}
        </p>
      )}
      <div>
        <Button small icon={Plus} onPress={() => onChange({ ...values, headers: [...rows, NEW_HEADER] })}>
          Add header
        </Button>
      </div>
    </FieldSet>
  );
}

function One({ spec, values, onChange, faults }: FieldsProps & { spec: FieldSpec }) {
  const mask = values.kept[spec.name];
  const replaced = values.texts[`was:${spec.name}`];
  if (mask !== undefined)
    return (
      <Masked
        spec={spec}
        mask={mask}
        onReplace={() => {
          const { [spec.name]: was, ...kept } = values.kept;
          onChange({ ...values, kept, texts: { ...values.texts, [`was:${spec.name}`]: was ?? '' } });
        }}
      />
    );
  if (spec.kind === 'deployments') return <Deployments values={values} onChange={onChange} faults={faults} />;
  if (spec.kind === 'headers') return <Headers spec={spec} values={values} onChange={onChange} faults={faults} />;
  const value = values.texts[spec.name] ?? '';
  const set = (text: string) => onChange({ ...values, texts: { ...values.texts, [spec.name]: text } });
  if (spec.kind === 'select')
    return (
      <Select
        label={spec.label}
        value={value}
        options={spec.options ?? []}
        onChange={set}
        error={faults[spec.name]}
        help={spec.help}
      />
    );
  if (spec.kind === 'switch')
    return (
      <Switch
        label={spec.label}
        shown
        help={spec.help}
        value={values.flags[spec.name] === true}
        onChange={(on) => onChange({ ...values, flags: { ...values.flags, [spec.name]: on } })}
      />
    );
  const tall = spec.kind === 'json' || spec.kind === 'pem' ? 6 : spec.kind === 'hosts' ? 3 : undefined;
  const input = (
    <TextField
      label={spec.label}
      value={value}
      onChange={set}
      error={faults[spec.name]}
      help={spec.help}
      required={spec.required === true}
      placeholder={spec.placeholder}
      secret={spec.kind === 'secret'}
      mono={spec.kind !== 'text'}
      type={spec.kind === 'url' ? 'url' : undefined}
      rows={tall}
    />
  );
  if (replaced === undefined) return input;
  const keep = () => {
    const { [`was:${spec.name}`]: was, [spec.name]: _, ...texts } = values.texts;
    onChange({ ...values, texts, kept: { ...values.kept, [spec.name]: was ?? '' } });
  };
  return (
    <div className={css.replacing}>
      {input}
      <Button small look="ghost" icon={Undo2} onPress={keep}>
        Keep the old one
      </Button>
    </div>
  );
}

export function CredentialsFields({ spec, values, onChange, faults }: FieldsProps & { spec: Spec }) {
  const hidden = spec.advanced.filter(
    (one) => faults[one.name] !== undefined || values.kept[one.name] !== undefined || (values.texts[one.name] ?? '') !== '',
  );
  const [open, setOpen] = useState(hidden.length > 0);
  const shown = open || hidden.some((one) => faults[one.name] !== undefined);
  return (
    <>
      {spec.main.map(
        (one) =>
          isShown(one, values) && (
            <One key={`${one.name}/${one.label}`} spec={one} values={values} onChange={onChange} faults={faults} />
          ),
      )}
      <div className={css.advanced}>
        <button type="button" className={css.toggle} aria-expanded={shown} onClick={() => setOpen(!shown)}>
          <ChevronRight size={14} aria-hidden className={cx(css.chevron, shown && css.chevronOpen)} />
          Advanced
        </button>
        {shown && (
          <div className={css.advancedFields}>
            {spec.advanced.map(
              (one) =>
                isShown(one, values) && <One key={one.name} spec={one} values={values} onChange={onChange} faults={faults} />,
            )}
          </div>
        )}
      </div>
    </>
  );
}
