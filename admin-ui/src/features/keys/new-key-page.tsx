/* A new key. What it is called and what it may do come first; its text is shown once, then the list. */
import { useNavigate } from '@tanstack/react-router';
import { useState, type SyntheticEvent } from 'react';
import { useChange } from '~/api/changes';
import { messageOf } from '~/api/errors';
import { post } from '~/api/http';
import { inWorkspace } from '~/api/queries';
import type { ApiKeyMade, KeyKind } from '~/api/types';
import { WorkspaceGate } from '~/app/workspace-gate';
import type { FormErrors } from '~/features/limits/limits';
import { useFaultFocus } from '~/lib/use-fault-focus';
import { Button } from '~/ui/button';
import { Cards, type Option } from '~/ui/choice';
import { Card, Page } from '~/ui/page';
import { Notice } from '~/ui/states';
import { KeyFields } from './key-fields';
import { bodyOf, checkForm, formOf, pathOf, placeOf } from './key-form';
import { KeyShown } from './key-shown';
import css from './keys.module.css';
import { KeysButton, KeysLink, type Place } from './place';

const KINDS: Option<KeyKind>[] = [
  { id: 'workspace-service', label: 'An application', note: 'Belongs to the workspace' },
  { id: 'workspace-user', label: 'A person', note: 'Belongs to a member, and its usage is theirs' },
];

function NewKey({ place }: { place: Place }) {
  const navigate = useNavigate();
  const [form, setForm] = useState(() => formOf(place === undefined ? 'organisation-service' : 'workspace-service'));
  const [errors, setErrors] = useState<FormErrors>({});
  const create = useChange(
    () =>
      post<ApiKeyMade>(
        pathOf(form.kind),
        { ...bodyOf(form), ...inWorkspace(place?.id ?? '') },
        { wait: 'applied', wait_ms: 3000 },
      ),
    { touches: [['api-keys']] },
  );
  const leave = () =>
    void (place === undefined
      ? navigate({ to: '/keys' })
      : navigate({ to: '/w/$workspace/keys', params: { workspace: place.slug } }));
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const found = checkForm(form);
    setErrors(found);
    if (Object.keys(found).length === 0) create.mutate(undefined);
  };
  const refused = placeOf(create.error);
  const shown = { ...refused, ...errors };
  return (
    <Page title="Create key" narrow crumbs={[<KeysLink key="up" place={place} />]}>
      <form ref={useFaultFocus(shown)} onSubmit={submit} noValidate className={css.form}>
        {place !== undefined && (
          <Cards
            label="For"
            value={form.kind}
            options={KINDS}
            onChange={(kind) => setForm({ ...form, kind, scopes: form.scopes })}
          />
        )}
        <Card>
          <div className={css.form}>
            <KeyFields form={form} onChange={setForm} errors={shown} workspace={place} />
            {create.isError && refused === undefined && <Notice tone="bad">{messageOf(create.error)}</Notice>}
          </div>
        </Card>
        <div className={css.foot}>
          <KeysButton place={place}>Cancel</KeysButton>
          <Button type="submit" look="primary" pending={create.isPending}>
            Create key
          </Button>
        </div>
      </form>
      {create.data !== undefined && <KeyShown title={`${form.name} was created`} text={create.data.key} onClose={leave} />}
    </Page>
  );
}

export const NewKeyPage = () => <WorkspaceGate>{(workspace) => <NewKey key={workspace.slug} place={workspace} />}</WorkspaceGate>;
export const NewOrganisationKeyPage = () => <NewKey place={undefined} />;
