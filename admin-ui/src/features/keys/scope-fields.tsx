/* What a key may do: a set that people mean, or scope by scope. */
import { useState } from 'react';
import type { KeyKind } from '~/api/types';
import { Cards, Checkbox } from '~/ui/choice';
import { FieldSet } from '~/ui/field';
import type { ScopeRow } from '../../../tools/defs';
import css from './keys.module.css';
import { CUSTOM, groupsOf, presetOf, presetsOf } from './scopes';

interface ScopeFieldsProps {
  kind: KeyKind;
  rows: readonly ScopeRow[];
  value: string[];
  onChange: (scopes: string[]) => void;
  error: string | undefined;
}

const ONE_BY_ONE = { id: CUSTOM, label: 'Scope by scope', note: 'Exactly what you choose' };

export function ScopeFields({ kind, rows, value, onChange, error }: ScopeFieldsProps) {
  const presets = presetsOf(kind, rows);
  const [open, setOpen] = useState(() => value.length > 0 && presetOf(presets, value) === CUSTOM);
  const chosen = open ? CUSTOM : presetOf(presets, value);
  const choose = (id: string) => {
    setOpen(id === CUSTOM);
    const preset = presets.find((one) => one.id === id);
    if (preset !== undefined) onChange(preset.scopes);
  };
  const toggle = (scope: string, on: boolean) => onChange(on ? [...value, scope] : value.filter((one) => one !== scope));
  return (
    <div className={css.scopes}>
      <Cards label="May" value={value.length === 0 && !open ? '' : chosen} options={[...presets, ONE_BY_ONE]} onChange={choose} />
      {error !== undefined && (
        // The place that is brought into view (lib/use-fault-focus.ts).
        <p className={css.fault} role="alert" data-fault tabIndex={-1}>
          Scopes: {error}
        </p>
      )}
      {open && (
        <div className={css.groups}>
          {groupsOf(kind, rows).map((group) => (
            <FieldSet key={group.id} title={group.words}>
              <div className={css.checks}>
                {group.scopes.map(({ scope, action }) => (
                  <Checkbox key={scope} label={action} shown value={value.includes(scope)} onChange={(on) => toggle(scope, on)} />
                ))}
              </div>
            </FieldSet>
          ))}
        </div>
      )}
    </div>
  );
}
