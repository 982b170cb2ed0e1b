/* What can be said about a key, when it is made and later. */
import { useQuery } from '@tanstack/react-query';
import rows from 'virtual:scopes';
import { configs, members } from '~/api/queries';
import type { SessionWorkspace } from '~/auth/session';
import type { FormErrors } from '~/features/limits/limits';
import { LimitsFields } from '~/features/limits/limits-fields';
import { personName } from '~/lib/person';
import { Select } from '~/ui/choice';
import { Row, TextField } from '~/ui/field';
import type { KeyForm } from './key-form';
import { ScopeFields } from './scope-fields';

interface KeyFieldsProps {
  form: KeyForm;
  onChange: (form: KeyForm) => void;
  errors: FormErrors;
  /** undefined: a key of the organisation. */
  workspace: SessionWorkspace | undefined;
  /** It exists: whose it is stays. */
  made?: boolean;
}

const NONE = '-';

function Person({ form, onChange, errors, workspace }: KeyFieldsProps & { workspace: SessionWorkspace }) {
  const people = useQuery(members(workspace.id));
  const options = (people.data ?? []).map((row) => ({ id: row.id, label: personName(row), note: row.email }));
  return (
    <Select
      label="Member"
      value={form.user}
      options={options}
      onChange={(user) => onChange({ ...form, user })}
      error={errors.user_id}
      help={
        people.isSuccess && options.length === 0
          ? 'This workspace has no members yet.'
          : 'What the key uses is counted for this person, too.'
      }
    />
  );
}

function DefaultConfig({ form, onChange, errors, workspace }: KeyFieldsProps & { workspace: SessionWorkspace }) {
  const list = useQuery(configs(workspace.id));
  const known = list.data ?? [];
  const chosen = known.find((row) => row.slug === form.config || row.id === form.config);
  const options = [
    { id: NONE, label: 'None' },
    ...known.map((row) => ({ id: row.slug, label: row.name, note: row.slug })),
    ...(form.config !== '' && chosen === undefined ? [{ id: form.config, label: form.config }] : []),
  ];
  return (
    <Select
      label="Default config"
      value={form.config === '' ? NONE : (chosen?.slug ?? form.config)}
      options={options}
      onChange={(config) => onChange({ ...form, config: config === NONE ? '' : config })}
      error={errors.config}
      help="Holds for requests that name no config themselves."
    />
  );
}

export function KeyFields(props: KeyFieldsProps) {
  const { form, onChange, errors, workspace, made = false } = props;
  const set = (change: Partial<KeyForm>) => onChange({ ...form, ...change });
  return (
    <>
      <Row>
        <TextField label="Name" value={form.name} onChange={(name) => set({ name })} error={errors.name} required />
        <TextField
          label="Description"
          value={form.description}
          onChange={(description) => set({ description })}
          error={errors.description}
          required={false}
        />
      </Row>
      {workspace !== undefined && form.kind === 'workspace-user' && !made && <Person {...props} workspace={workspace} />}
      <ScopeFields
        kind={form.kind}
        rows={rows}
        value={form.scopes}
        onChange={(scopes) => set({ scopes })}
        error={errors.scopes}
      />
      {workspace !== undefined && (
        <>
          <LimitsFields form={form.limits} onChange={(limits) => set({ limits })} errors={errors} ratesMax={4} />
          <Row>
            <DefaultConfig {...props} workspace={workspace} />
            <Expires {...props} />
          </Row>
          <TextField
            label="Only these models"
            value={form.allowed}
            onChange={(allowed) => set({ allowed })}
            rows={2}
            mono
            required={false}
            error={errors.allowed_models}
            placeholder={'gpt-4o-mini\no1-*'}
            help="One a line, * stands for anything. Empty: all models of the workspace."
          />
        </>
      )}
      {workspace === undefined && (
        <Row>
          <Expires {...props} />
        </Row>
      )}
    </>
  );
}

const Expires = ({ form, onChange, errors }: KeyFieldsProps) => (
  <TextField
    label="Expires"
    value={form.expires}
    onChange={(expires) => onChange({ ...form, expires })}
    type="datetime-local"
    required={false}
    error={errors.expires_at}
    help="From then on it is refused."
  />
);
