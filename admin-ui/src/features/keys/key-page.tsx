/* One key: what it may do, what it has used, a new text for it. */
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState, type SyntheticEvent } from 'react';
import { useChange } from '~/api/changes';
import { messageOf } from '~/api/errors';
import { del, post, put, segment } from '~/api/http';
import { apiKey, members } from '~/api/queries';
import type { ApiKey, ApiKeyRotated } from '~/api/types';
import { WorkspaceGate } from '~/app/workspace-gate';
import type { FormErrors } from '~/features/limits/limits';
import { SettingsSplit } from '~/features/limits/settings-split';
import { dateTime } from '~/lib/format';
import { personName } from '~/lib/person';
import { useFaultFocus } from '~/lib/use-fault-focus';
import { Button } from '~/ui/button';
import { Select, type Option } from '~/ui/choice';
import { Confirm, Dialog, DialogForm } from '~/ui/dialog';
import { Card, Page, Section } from '~/ui/page';
import { Await, Notice } from '~/ui/states';
import { KeyFields } from './key-fields';
import { bodyOf, checkForm, formOf, placeOf } from './key-form';
import { KeyShown } from './key-shown';
import { KeyStatus } from './keys-page';
import css from './keys.module.css';
import { KeysLink, type Place } from './place';

const TOUCHES = [['api-keys'], ['api-key']];

function EditForm({ row, place }: { row: ApiKey; place: Place }) {
  const [form, setForm] = useState(() => formOf(row.type, row));
  const [errors, setErrors] = useState<FormErrors>({});
  const save = useChange(() => put(`/api-keys/${segment(row.id)}`, bodyOf(form)), { touches: TOUCHES, done: 'Saved' });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const found = checkForm(form);
    setErrors(found);
    if (Object.keys(found).length === 0) save.mutate(undefined);
  };
  const refused = placeOf(save.error);
  const shown = { ...refused, ...errors };
  return (
    <form ref={useFaultFocus(shown)} onSubmit={submit} noValidate>
      <Card>
        <div className={css.form}>
          <KeyFields form={form} onChange={setForm} errors={shown} workspace={place} made />
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

const MINUTE_MS = 60_000;
const PERIODS: Option[] = [
  { id: String(30 * MINUTE_MS), label: '30 minutes' },
  { id: String(24 * 60 * MINUTE_MS), label: '1 day' },
  { id: String(7 * 24 * 60 * MINUTE_MS), label: '7 days' },
];

function Rotate({ row, onClose }: { row: ApiKey; onClose: () => void }) {
  const [period, setPeriod] = useState(PERIODS[1]?.id ?? '');
  const rotate = useChange(
    () => post<ApiKeyRotated>(`/api-keys/${segment(row.id)}/rotate`, { key_transition_period_ms: Number(period) }),
    { touches: TOUCHES },
  );
  if (rotate.data !== undefined) {
    const until = rotate.data.key_transition_expires_at;
    return (
      <KeyShown
        title={`${row.name} has a new text`}
        text={rotate.data.key}
        note={until === null ? undefined : `The old one works until ${dateTime(until)}.`}
        onClose={onClose}
      />
    );
  }
  return (
    <Dialog title={`Rotate ${row.name}`} open onClose={onClose}>
      <DialogForm
        onSubmit={() => rotate.mutate(undefined)}
        onCancel={onClose}
        submit="Rotate"
        pending={rotate.isPending}
        error={rotate.isError ? messageOf(rotate.error) : undefined}
      >
        <p>The key gets a new text. The old one works on for a while, so that nothing stops.</p>
        <Select label="The old one works for" value={period} options={PERIODS} onChange={setPeriod} />
      </DialogForm>
    </Dialog>
  );
}

type Asking = 'rotate' | 'delete' | 'reset';

function Actions({ row, place }: { row: ApiKey; place: Place }) {
  const navigate = useNavigate();
  const [asking, setAsking] = useState<Asking>();
  const close = () => setAsking(undefined);
  const remove = useChange(() => del(`/api-keys/${segment(row.id)}`), {
    touches: [['api-keys']],
    done: `${row.name} was deleted`,
    onDone: () =>
      void (place === undefined
        ? navigate({ to: '/keys' })
        : navigate({ to: '/w/$workspace/keys', params: { workspace: place.slug } })),
  });
  const reset = useChange(() => put(`/api-keys/${segment(row.id)}`, { reset_usage: true }), {
    touches: TOUCHES,
    done: 'Its budget starts anew',
    onDone: close,
  });
  return (
    <>
      {row.usage_limits !== null && <Button onPress={() => setAsking('reset')}>Reset usage</Button>}
      <Button onPress={() => setAsking('rotate')}>Rotate</Button>
      <Button onPress={() => setAsking('delete')}>Delete</Button>
      {asking === 'rotate' && <Rotate row={row} onClose={close} />}
      <Confirm
        title={`Reset the usage of ${row.name}?`}
        open={asking === 'reset'}
        onClose={close}
        onConfirm={() => reset.mutate(undefined)}
        action="Reset usage"
        change={reset}
      >
        <p>Its budget starts anew at zero. What was used stays in the books.</p>
      </Confirm>
      <Confirm
        title={`Delete ${row.name}?`}
        open={asking === 'delete'}
        onClose={close}
        onConfirm={() => remove.mutate(undefined)}
        action="Delete key"
        change={remove}
        word={row.name}
      >
        <p>Whoever calls with it is refused at once.</p>
      </Confirm>
    </>
  );
}

const KIND_WORDS: Record<ApiKey['type'], string> = {
  'organisation-service': 'Organisation',
  'workspace-service': 'Application',
  'workspace-user': 'Person',
};

function OneKey({ place }: { place: Place }) {
  const { key = '' } = useParams({ strict: false });
  const query = useQuery(apiKey(key));
  const people = useQuery(members(place?.id ?? ''));
  const row = query.data;
  const person = people.data?.find((one) => one.id === row?.user_id);
  return (
    <Page
      title={row?.name ?? 'Key'}
      crumbs={[<KeysLink key="up" place={place} />]}
      mark={row && <KeyStatus status={row.status} />}
      actions={row && <Actions row={row} place={place} />}
    >
      <Await queries={[query]}>
        {() =>
          row && (
            <SettingsSplit
              row={row}
              facts={[
                ['Key', <code key="k">{row.key}</code>],
                ['For', person === undefined ? KIND_WORDS[row.type] : personName(person)],
              ]}
            >
              <Section title="Settings">
                <EditForm key={row.last_updated_at} row={row} place={place} />
              </Section>
            </SettingsSplit>
          )
        }
      </Await>
    </Page>
  );
}

export const KeyPage = () => <WorkspaceGate>{(workspace) => <OneKey key={workspace.slug} place={workspace} />}</WorkspaceGate>;
export const OrganisationKeyPage = () => <OneKey place={undefined} />;
