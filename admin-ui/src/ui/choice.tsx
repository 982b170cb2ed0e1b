/* One of several, some of several, on or off. */
import { Check, ChevronsUpDown, Minus } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { CheckboxButton, CheckboxField } from 'react-aria-components/Checkbox';
import { Label } from 'react-aria-components/Label';
import { ListBox, ListBoxItem } from 'react-aria-components/ListBox';
import { Popover } from 'react-aria-components/Popover';
import { RadioButton, RadioField, RadioGroup } from 'react-aria-components/RadioGroup';
import { Select as AriaSelect, SelectValue } from 'react-aria-components/Select';
import { SwitchButton, SwitchField } from 'react-aria-components/Switch';
import { FieldError, Text } from 'react-aria-components/TextField';
import { cx } from '~/lib/cx';
import css from './choice.module.css';
import { FieldLabel } from './field';
import field from './field.module.css';

export interface Option<T extends string = string> {
  id: T;
  label: string;
  note?: string | undefined;
  count?: number | undefined;
}

interface SelectProps<T extends string> {
  label: string;
  /** The label is read but not shown (toolbars). */
  bare?: boolean;
  value: T;
  options: readonly Option<T>[];
  onChange: (value: T) => void;
  error?: string | undefined;
  help?: ReactNode;
  required?: boolean | undefined;
}

export function Select<T extends string>({
  label,
  bare = false,
  value,
  options,
  onChange,
  error,
  help,
  required,
}: SelectProps<T>) {
  return (
    <AriaSelect
      className={bare ? '' : (field.field ?? '')}
      value={value}
      onChange={(key) => key !== null && onChange(key as T)}
      isInvalid={error !== undefined}
      validationBehavior="aria"
      {...(bare && { 'aria-label': label })}
    >
      {!bare && <FieldLabel label={label} required={required} />}
      <AriaButton className={cx(css.select, error !== undefined && field.wrong)}>
        {/* Drawn by the style sheet: the name that is read has it already. */}
        {bare && <span className={css.prefix} data-label={label} />}
        <SelectValue className={css.value ?? ''}>{({ selectedText }) => selectedText}</SelectValue>
        <ChevronsUpDown size={13} aria-hidden className={css.arrows} />
      </AriaButton>
      {help !== undefined && error === undefined && (
        <Text slot="description" className={field.help ?? ''}>
          {help}
        </Text>
      )}
      <FieldError className={field.error ?? ''}>{error}</FieldError>
      <Popover className={css.popover ?? ''} offset={4}>
        <ListBox items={options} className={css.list ?? ''}>
          {(option: Option<T>) => (
            <ListBoxItem id={option.id} textValue={option.label} className={css.option ?? ''}>
              <Check size={13} aria-hidden className={css.tick} />
              <span className={css.optionText}>
                {option.label}
                {option.note !== undefined && <span className={css.note}>{option.note}</span>}
              </span>
              {option.count !== undefined && <span className={css.count}>{option.count}</span>}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}

interface SwitchProps {
  label: string;
  /** Stands beside the switch; otherwise the label is only read. */
  shown?: boolean;
  value: boolean;
  onChange: (value: boolean) => void;
  help?: ReactNode;
  disabled?: boolean;
}

export function Switch({ label, shown = false, value, onChange, help, disabled = false }: SwitchProps) {
  return (
    <SwitchField
      className={css.switchField ?? ''}
      isSelected={value}
      onChange={onChange}
      isDisabled={disabled}
      {...(!shown && { 'aria-label': label })}
    >
      <SwitchButton className={css.switch ?? ''}>
        <span className={css.track} aria-hidden>
          <span className={css.knob} />
        </span>
        {shown && label}
      </SwitchButton>
      {shown && help !== undefined && (
        <Text slot="description" className={cx(field.help, css.switchHelp)}>
          {help}
        </Text>
      )}
    </SwitchField>
  );
}

interface CheckboxProps {
  label: string;
  shown?: boolean;
  value: boolean;
  some?: boolean;
  onChange: (value: boolean) => void;
  disabled?: boolean;
}

export function Checkbox({ label, shown = false, value, some = false, onChange, disabled = false }: CheckboxProps) {
  return (
    <CheckboxField
      isSelected={value}
      isIndeterminate={some}
      onChange={onChange}
      isDisabled={disabled}
      {...(!shown && { 'aria-label': label })}
    >
      <CheckboxButton className={css.checkbox ?? ''}>
        <span className={css.checkMark} aria-hidden>
          {some ? <Minus size={11} strokeWidth={3} /> : <Check size={11} strokeWidth={3} />}
        </span>
        {shown && label}
      </CheckboxButton>
    </CheckboxField>
  );
}

interface CardsProps<T extends string> {
  label: string;
  value: T;
  options: readonly Option<T>[];
  onChange: (value: T) => void;
}

/** One of a few, each with a sentence. */
export function Cards<T extends string>({ label, value, options, onChange }: CardsProps<T>) {
  return (
    <RadioGroup value={value} onChange={(next) => onChange(next as T)} className={field.field ?? ''}>
      <Label className={field.label ?? ''}>{label}</Label>
      <div className={css.cards}>
        {options.map((option) => (
          <RadioField key={option.id} value={option.id} className={css.cardField ?? ''}>
            <RadioButton className={css.card ?? ''}>
              <span className={css.dot} aria-hidden />
              <span className={css.optionText}>
                {option.label}
                {option.note !== undefined && <span className={css.note}>{option.note}</span>}
              </span>
            </RadioButton>
          </RadioField>
        ))}
      </div>
    </RadioGroup>
  );
}

/** One of two to four words, side by side. */
export function Segments<T extends string>({ label, value, options, onChange }: CardsProps<T>) {
  return (
    <RadioGroup
      value={value}
      onChange={(next) => onChange(next as T)}
      aria-label={label}
      orientation="horizontal"
      className={css.segments ?? ''}
    >
      {options.map((option) => (
        <RadioField key={option.id} value={option.id}>
          <RadioButton className={css.segment ?? ''}>{option.label}</RadioButton>
        </RadioField>
      ))}
    </RadioGroup>
  );
}
