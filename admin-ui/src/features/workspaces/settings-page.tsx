/* What a workspace is called, what holds in it, and its limits. */
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type SyntheticEvent } from 'react';
import { useChange } from '~/api/changes';
import { messageOf } from '~/api/errors';
import { del, put, segment } from '~/api/http';
import { workspace as one } from '~/api/queries';
import type { Workspace } from '~/api/types';
import { toSessionWorkspace } from '~/auth/probe';
import { setWorkspace, useSession, type SessionWorkspace } from '~/auth/session';
import { WorkspaceGate } from '~/app/workspace-gate';
import type { FormErrors } from '~/features/limits/limits';
import { LimitsFields } from '~/features/limits/limits-fields';
import { SettingsSplit } from '~/features/limits/settings-split';
import { useFaultFocus } from '~/lib/use-fault-focus';
import { Button } from '~/ui/button';
import { Select, type Option } from '~/ui/choice';
import { Copyable } from '~/ui/copy';
import { Confirm } from '~/ui/dialog';
import { Row, TextField } from '~/ui/field';
import { Card, Page, Section } from '~/ui/page';
import { Await, Notice } from '~/ui/states';
import { AS_ORGANISATION, bodyOf, checkForm, formOf, placeOf, type SettingsForm } from './settings-form';
import css from './workspaces.module.css';

const OWN_INTEGRATIONS: Option[] = [
  { id: AS_ORGANISATION, label: 'As the organisation says' },
  { id: 'off', label: 'Nobody' },
  { id: 'admins', label: 'Its admins' },
  { id: 'admins_and_managers', label: 'Its admins and managers' },
];
const MODES: Option[] = [
  { id: AS_ORGANISATION, label: 'As the organisation says' },
  { id: 'standard', label: 'Standard', note: 'fast; may be exceeded by what is under way' },
  { id: 'strict', label: 'Strict', note: 'never exceeded' },
];

interface FieldsProps {
  form: SettingsForm;
  set: (change: Partial<SettingsForm>) => void;
  errors: FormErrors;
}

const Governed = ({ form, set, errors }: FieldsProps) => (
  <>
    <Row>
      <Select
        label="May connect providers of its own"
        value={form.integrations}
        options={OWN_INTEGRATIONS}
        onChange={(integrations) => set({ integrations })}
      />
      <Select label="Its limits are" value={form.mode} options={MODES} onChange={(mode) => set({ mode })} />
    </Row>
    <LimitsFields form={form.limits} onChange={(limits) => set({ limits })} errors={errors} usageMax={3} ratesMax={4} />
  </>
);

function EditForm({ row }: { row: Workspace }) {
  const { admin } = useSession();
  const [form, setForm] = useState(() => formOf(row));
  const [errors, setErrors] = useState<FormErrors>({});
  const save = useChange(() => put<Workspace>(`/admin/workspaces/${segment(row.id)}`, bodyOf(form, admin)), {
    touches: [['workspaces']],
    done: 'Saved',
    onDone: (next) => setWorkspace(row.id, toSessionWorkspace(next)),
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const found = checkForm(form);
    setErrors(found);
    if (Object.keys(found).length === 0) save.mutate(undefined);
  };
  const refused = placeOf(save.error);
  const shown = { ...refused, ...errors };
  const set = (change: Partial<SettingsForm>) => setForm({ ...form, ...change });
  return (
    <form ref={useFaultFocus(shown)} onSubmit={submit} noValidate>
      <Card>
        <div className={css.form}>
          <Row>
            <TextField label="Name" value={form.name} onChange={(name) => set({ name })} error={shown.name} required />
            <TextField label="Icon" value={form.icon} onChange={(icon) => set({ icon })} error={shown.icon} required={false} />
          </Row>
          <TextField
            label="Description"
            value={form.description}
            onChange={(description) => set({ description })}
            error={shown.description}
            rows={2}
            required={false}
          />
          {admin && <Governed form={form} set={set} errors={shown} />}
          {save.isError && refused === undefined && <Notice tone="bad">{messageOf(save.error)}</Notice>}
          <div className={css.foot}>
            <Button type="submit" look="primary" pending={save.isPending}>
              Save
            </Button>
          </div>
        </div>
      </Card>
    </form>
  );
}

function Actions({ row }: { row: Workspace }) {
  const navigate = useNavigate();
  const [asking, setAsking] = useState<'delete' | 'reset'>();
  const close = () => setAsking(undefined);
  const path = `/admin/workspaces/${segment(row.id)}`;
  const remove = useChange(() => del(path, {}, { name: row.name, force_delete: true }), {
    touches: [['workspaces']],
    done: `${row.name} was deleted`,
    onDone: () => {
      void navigate({ to: '/workspaces' }).then(() => setWorkspace(row.id, undefined));
    },
  });
  const reset = useChange(() => put(path, { reset_usage: true }), {
    touches: [['workspaces']],
    done: 'Its budgets start anew',
    onDone: close,
  });
  return (
    <>
      {row.usage_limits !== null && <Button onPress={() => setAsking('reset')}>Reset usage</Button>}
      {row.is_default !== 1 && <Button onPress={() => setAsking('delete')}>Delete</Button>}
      <Confirm
        title={`Reset the usage of ${row.name}?`}
        open={asking === 'reset'}
        onClose={close}
        onConfirm={() => reset.mutate(undefined)}
        action="Reset usage"
        change={reset}
      >
        <p>Its budgets start anew at zero. What was used stays in the books.</p>
      </Confirm>
      <Confirm
        title={`Delete ${row.name}?`}
        open={asking === 'delete'}
        onClose={close}
        onConfirm={() => remove.mutate(undefined)}
        action="Delete workspace"
        change={remove}
        word={row.name}
      >
        <p>Its providers, configs and keys go with it, and whoever calls with these keys is refused at once.</p>
      </Confirm>
    </>
  );
}

function Settings({ workspace }: { workspace: SessionWorkspace }) {
  const { admin } = useSession();
  const query = useQuery(one(workspace.id));
  const row = query.data;
  return (
    <Page
      title={row?.name ?? workspace.name}
      mark={row && <Copyable text={row.slug} label="Copy slug" />}
      about="Settings of the workspace."
      actions={row && admin && <Actions row={row} />}
    >
      <Await queries={[query]}>
        {() =>
          row && (
            <SettingsSplit row={row} facts={[]}>
              <Section title="Settings">
                <EditForm key={row.last_updated_at} row={row} />
              </Section>
            </SettingsSplit>
          )
        }
      </Await>
    </Page>
  );
}

export const SettingsPage = () => (
  <WorkspaceGate>{(workspace) => <Settings key={workspace.slug} workspace={workspace} />}</WorkspaceGate>
);
