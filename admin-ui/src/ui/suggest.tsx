/* A text field that knows what is usual: suggestions while typing, anything may be written. */
import type { ReactNode } from 'react';
import { ComboBox } from 'react-aria-components/ComboBox';
import { Input } from 'react-aria-components/Input';
import { ListBox, ListBoxItem } from 'react-aria-components/ListBox';
import { Popover } from 'react-aria-components/Popover';
import { FieldError, Text } from 'react-aria-components/TextField';
import { rank } from '~/lib/rank';
import { cx } from '~/lib/cx';
import choice from './choice.module.css';
import type { Option } from './choice';
import { FieldLabel } from './field';
import css from './field.module.css';

const SHOWN_MAX = 50;

interface SuggestProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  options: Option[];
  error?: string | undefined;
  help?: ReactNode;
  placeholder?: string;
  required?: boolean;
}

export function Suggest({ label, value, onChange, options, error, help, placeholder, required }: SuggestProps) {
  const shown =
    value.trim() === ''
      ? options.slice(0, SHOWN_MAX)
      : rank(
          options,
          value,
          (one) => one.label,
          (one) => one.note ?? '',
        ).slice(0, SHOWN_MAX);
  return (
    <ComboBox
      className={css.field ?? ''}
      inputValue={value}
      onInputChange={onChange}
      onChange={(key) => key !== null && onChange(String(key))}
      items={shown}
      allowsCustomValue
      isInvalid={error !== undefined}
      validationBehavior="aria"
    >
      <FieldLabel label={label} required={required} />
      <span className={cx(css.box, error !== undefined && css.wrong)}>
        <Input className={cx(css.input, css.mono)} placeholder={placeholder ?? ''} spellCheck="false" />
      </span>
      {help !== undefined && error === undefined && (
        <Text slot="description" className={css.help ?? ''}>
          {help}
        </Text>
      )}
      <FieldError className={css.error ?? ''}>{error}</FieldError>
      <Popover className={choice.popover ?? ''} offset={4}>
        <ListBox className={choice.list ?? ''}>
          {(option: Option) => (
            <ListBoxItem id={option.id} textValue={option.label} className={choice.option ?? ''}>
              <span className={choice.optionText}>
                <code>{option.label}</code>
                {option.note !== undefined && <span className={choice.note}>{option.note}</span>}
              </span>
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}
