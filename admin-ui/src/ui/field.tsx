/* Fields of a form. Each has a label, may have a word of help, and shows the server's refusal of it in place (form.ts). */
import { Search, X } from 'lucide-react';
import { useId, type ReactNode, type Ref } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { FieldError, Text } from 'react-aria-components/TextField';
import { Input } from 'react-aria-components/Input';
import { Label } from 'react-aria-components/Label';
import { SearchField as AriaSearchField } from 'react-aria-components/SearchField';
import { TextArea } from 'react-aria-components/TextArea';
import { TextField as AriaTextField } from 'react-aria-components/TextField';
import { cx } from '~/lib/cx';
import css from './field.module.css';

export interface FieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  error?: string | undefined;
  help?: ReactNode;
  placeholder?: string | undefined;
  required?: boolean | undefined;
  disabled?: boolean | undefined;
  autoFocus?: boolean | undefined;
  name?: string | undefined;
}

interface TextProps extends FieldProps {
  /** Never shown and never kept by the browser. */
  secret?: boolean | undefined;
  mono?: boolean | undefined;
  numeric?: boolean | undefined;
  /** What stands before or behind the value and belongs to it: "@", "USD". */
  before?: string | undefined;
  after?: string | undefined;
  type?: 'text' | 'url' | 'email' | 'password' | 'datetime-local' | undefined;
  autoComplete?: string | undefined;
  /** Several lines. */
  rows?: number | undefined;
}

export function FieldLabel({ label, required }: { label: string; required?: boolean | undefined }) {
  return (
    <Label className={css.label ?? ''}>
      {label}
      {required === false && <span className={css.optional}>optional</span>}
    </Label>
  );
}

function Below({ help, error }: { help: ReactNode; error: string | undefined }) {
  return (
    <>
      {help !== undefined && help !== '' && error === undefined && (
        <Text slot="description" className={css.help ?? ''}>
          {help}
        </Text>
      )}
      <FieldError className={css.error ?? ''}>{error}</FieldError>
    </>
  );
}

export function TextField(props: TextProps) {
  const { label, value, onChange, error, help, placeholder, required, secret, mono, numeric, rows, before, after } = props;
  const face = cx(css.input, (mono === true || secret === true) && css.mono);
  return (
    <AriaTextField
      className={css.field ?? ''}
      value={value}
      onChange={onChange}
      isInvalid={error !== undefined}
      isRequired={required === true}
      isDisabled={props.disabled === true}
      autoFocus={props.autoFocus === true}
      validationBehavior="aria"
      {...(props.name !== undefined && { name: props.name })}
      type={secret === true ? 'password' : (props.type ?? 'text')}
      autoComplete={props.autoComplete ?? (secret === true ? 'new-password' : 'off')}
      {...(numeric === true && { inputMode: 'decimal' as const })}
    >
      <FieldLabel label={label} required={required} />
      {rows === undefined ? (
        <span className={cx(css.box, error !== undefined && css.wrong)}>
          {before !== undefined && <span className={css.affix}>{before}</span>}
          <Input className={face} placeholder={placeholder ?? ''} spellCheck="false" />
          {after !== undefined && <span className={css.affix}>{after}</span>}
        </span>
      ) : (
        <TextArea
          className={cx(face, css.area, error !== undefined && css.wrong)}
          rows={rows}
          placeholder={placeholder ?? ''}
          spellCheck="false"
        />
      )}
      <Below help={help} error={error} />
    </AriaTextField>
  );
}

interface SearchProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
  /** "/" goes here (app/hotkeys.ts looks for the mark). */
  main?: boolean;
  inputRef?: Ref<HTMLInputElement>;
}

export function SearchField({ label, value, onChange, placeholder, main = false, inputRef }: SearchProps) {
  return (
    <AriaSearchField className={css.search ?? ''} aria-label={label} value={value} onChange={onChange}>
      <Search size={14} aria-hidden className={css.glass} />
      <Input
        className={css.input ?? ''}
        placeholder={placeholder ?? label}
        ref={inputRef ?? null}
        {...(main && { 'data-search': '' })}
      />
      {value === '' ? (
        main && <kbd className={css.key}>/</kbd>
      ) : (
        <AriaButton className={css.clear ?? ''}>
          <X size={13} aria-hidden />
        </AriaButton>
      )}
    </AriaSearchField>
  );
}

/** Fields that belong together under one heading. */
export function FieldSet({ title, note, children }: { title: string; note?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <div role="group" aria-labelledby={id} className={css.set}>
      <div id={id} className={css.setTitle}>
        {title}
      </div>
      {note !== undefined && <p className={css.help}>{note}</p>}
      {children}
    </div>
  );
}

/** Fields side by side where there is room. */
export const Row = ({ children, tight = false }: { children: ReactNode; tight?: boolean }) => (
  <div className={cx(css.row, tight && css.tight)}>{children}</div>
);

/** A form's fields, one below the other. */
export const Fields = ({ children }: { children: ReactNode }) => <div className={css.fields}>{children}</div>;
