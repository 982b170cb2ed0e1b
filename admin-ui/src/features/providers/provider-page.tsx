/* One provider of a workspace: its limits, what it may be used for, how it is doing. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Boxes } from 'lucide-react';
import { useState, type SyntheticEvent } from 'react';
import { useChange } from '~/api/changes';
import { messageOf } from '~/api/errors';
import { del, put, segment } from '~/api/http';
import { aiProviders, inWorkspace, provider } from '~/api/queries';
import type { Provider } from '~/api/types';
import { useSession, type SessionWorkspace } from '~/auth/session';
import { WorkspaceGate } from '~/app/workspace-gate';
import { limitsWords, type FormErrors } from '~/features/limits/limits';
import { SettingsSplit } from '~/features/limits/settings-split';
import { useFaultFocus } from '~/lib/use-fault-focus';
import { Button, ButtonLink } from '~/ui/button';
import { Copyable } from '~/ui/copy';
import { Confirm } from '~/ui/dialog';
import { TextField } from '~/ui/field';
import { Mark } from '~/ui/mark';
import { Card, Page, Section } from '~/ui/page';
import { Await, Notice } from '~/ui/states';
import { bodyOf, checkForm, formOf, placeOf, ProviderFields } from './provider-fields';
import css from './providers.module.css';
import { ProviderStatus } from './status';

const route = getRouteApi('/inside/w/$workspace/providers/$provider');

function EditForm({ row, workspace }: { row: Provider; workspace: SessionWorkspace }) {
  const [form, setForm] = useState(() => formOf(row));
  const [errors, setErrors] = useState<FormErrors>({});
  const save = useChange(() => put(`/providers/${segment(row.id)}`, { ...bodyOf(form), ...inWorkspace(workspace.id) }), {
    touches: [['providers'], ['models']],
    done: 'Saved',
  });
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
          <TextField label="Name" value={form.name} onChange={(name) => setForm({ ...form, name })} error={shown.name} required />
          <ProviderFields form={form} onChange={setForm} errors={shown} />
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

function Actions({ row, workspace }: { row: Provider; workspace: SessionWorkspace }) {
  const navigate = route.useNavigate();
  const [asking, setAsking] = useState(false);
  const remove = useChange(() => del(`/providers/${segment(row.id)}`, inWorkspace(workspace.id)), {
    touches: [['providers'], ['models']],
    done: `@${row.slug} was deleted`,
    onDone: () => void navigate({ to: '/w/$workspace/providers', params: { workspace: workspace.slug } }),
  });
  return (
    <>
      <ButtonLink to="/w/$workspace/models" params={{ workspace: workspace.slug }} search={{ provider: row.slug }} icon={Boxes}>
        Its models
      </ButtonLink>
      <Button onPress={() => setAsking(true)}>Delete</Button>
      <Confirm
        title={`Delete @${row.slug}?`}
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => remove.mutate(undefined)}
        action="Delete provider"
        change={remove}
        word={row.slug}
      >
        <p>Requests that name it are refused at once. Its integration, and other providers made from it, stay.</p>
      </Confirm>
    </>
  );
}

function OneProvider({ workspace }: { workspace: SessionWorkspace }) {
  const { provider: slug } = route.useParams();
  const session = useSession();
  const query = useQuery(provider(workspace.id, slug));
  const kinds = useQuery(aiProviders);
  const row = query.data;
  const kind = kinds.data?.find((one) => one.id === row?.ai_provider_name)?.name ?? row?.ai_provider_name ?? '';
  const integration = row?.integration_id ?? '';
  return (
    <Page
      title={row?.name ?? slug}
      crumbs={[
        <Link key="up" to="/w/$workspace/providers" params={{ workspace: workspace.slug }}>
          AI providers
        </Link>,
      ]}
      mark={
        row && (
          <>
            <Mark name={kind} />
            <Copyable text={`@${row.slug}`} label="Copy provider" />
            <ProviderStatus status={row.status} />
          </>
        )
      }
      actions={row && <Actions row={row} workspace={workspace} />}
    >
      <Await queries={[query]}>
        {() =>
          row && (
            <SettingsSplit
              row={row}
              facts={[
                ['Service', kind],
                [
                  'Integration',
                  session.admin && integration !== '' ? (
                    <Link key="i" to="/integrations/$integration" params={{ integration }}>
                      {integration}
                    </Link>
                  ) : (
                    integration
                  ),
                ],
                ['Own limits', limitsWords(row.usage_limits, row.rate_limits) ?? 'none; those of the integration hold'],
              ]}
            >
              <Section title="Settings">
                <EditForm key={row.last_updated_at} row={row} workspace={workspace} />
              </Section>
            </SettingsSplit>
          )
        }
      </Await>
    </Page>
  );
}

export const ProviderPage = () => (
  <WorkspaceGate>{(workspace) => <OneProvider key={workspace.slug} workspace={workspace} />}</WorkspaceGate>
);
