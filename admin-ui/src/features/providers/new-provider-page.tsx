/* A new provider: from an integration that the workspace was given, with stricter limits if wanted, or from credentials of its own. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { KeyRound } from 'lucide-react';
import { useState, type SyntheticEvent } from 'react';
import { useChange } from '~/api/changes';
import { messageOf } from '~/api/errors';
import { post } from '~/api/http';
import { aiProviders, integrations, inWorkspace, providers } from '~/api/queries';
import type { IntegrationSummary } from '~/api/types';
import type { SessionWorkspace } from '~/auth/session';
import { WorkspaceGate } from '~/app/workspace-gate';
import { inOrder } from '~/features/integrations/kinds';
import type { FormErrors } from '~/features/limits/limits';
import { freeSlug, slugOf } from '~/lib/slug';
import { useFaultFocus } from '~/lib/use-fault-focus';
import { Button, ButtonLink } from '~/ui/button';
import { Cards, Select, type Option } from '~/ui/choice';
import { Row, SearchField, TextField } from '~/ui/field';
import { Mark } from '~/ui/mark';
import { Card, Page } from '~/ui/page';
import { Await, Notice, State } from '~/ui/states';
import { bodyOf, checkForm, formOf, placeOf, ProviderFields } from './provider-fields';
import css from './providers.module.css';

const route = getRouteApi('/inside/w/$workspace/providers/new');

type From = 'given' | 'own';

const FROM: Option<From>[] = [
  { id: 'given', label: 'An integration of the organisation', note: 'No key is needed; its limits hold on top of yours' },
  { id: 'own', label: 'Credentials of this workspace', note: 'If the organisation permits it' },
];

interface FormProps {
  workspace: SessionWorkspace;
  given: IntegrationSummary[];
  taken: string[];
}

function FromGiven({ workspace, given, taken }: FormProps) {
  const navigate = route.useNavigate();
  const [integration, setIntegration] = useState(given[0]?.slug ?? '');
  const [form, setForm] = useState(() => ({ ...formOf(), name: given[0]?.name ?? '' }));
  const [slug, setSlug] = useState<string>();
  const [errors, setErrors] = useState<FormErrors>({});
  const suggested = freeSlug(slugOf(form.name), taken);
  const create = useChange(
    () =>
      post<{ slug: string }>('/providers', {
        ...bodyOf(form),
        integration_id: integration,
        slug: slug ?? suggested,
        ...inWorkspace(workspace.id),
      }),
    {
      touches: [['providers'], ['models']],
      done: (made) => `@${made.slug} was created`,
      onDone: (made) =>
        void navigate({ to: '/w/$workspace/providers/$provider', params: { workspace: workspace.slug, provider: made.slug } }),
    },
  );
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const found = checkForm(form);
    setErrors(found);
    if (Object.keys(found).length === 0) create.mutate(undefined);
  };
  const refused = placeOf(create.error);
  const shown = { ...refused, ...errors };
  return (
    <form ref={useFaultFocus(shown)} onSubmit={submit} noValidate className={css.form}>
      <Card>
        <div className={css.form}>
          <Select
            label="Integration"
            value={integration}
            options={given.map((one) => ({ id: one.slug, label: one.name, note: one.slug }))}
            onChange={setIntegration}
          />
          <Row>
            <TextField
              label="Name"
              value={form.name}
              onChange={(name) => setForm({ ...form, name })}
              error={shown.name}
              required
            />
            <TextField
              label="Slug"
              value={slug ?? suggested}
              onChange={setSlug}
              error={shown.slug}
              mono
              before="@"
              help="What developers write."
            />
          </Row>
          <ProviderFields form={form} onChange={setForm} errors={shown} />
          {create.isError && refused === undefined && <Notice tone="bad">{messageOf(create.error)}</Notice>}
        </div>
      </Card>
      <div className={css.foot}>
        <ButtonLink to="/w/$workspace/providers" params={{ workspace: workspace.slug }}>
          Cancel
        </ButtonLink>
        <Button type="submit" look="primary" pending={create.isPending}>
          Create provider
        </Button>
      </div>
    </form>
  );
}

function OwnCredentials({ workspace }: { workspace: SessionWorkspace }) {
  const catalog = useQuery(aiProviders);
  const [q, setQ] = useState('');
  const wanted = q.trim().toLowerCase();
  return (
    <Card>
      <div className={css.form}>
        <SearchField label="Search services" value={q} onChange={setQ} main />
        <Await queries={[catalog]}>
          {() => (
            <div className={css.choices}>
              {(catalog.data ?? [])
                .filter((row) => row.status !== 'retired' && `${row.name} ${row.id}`.toLowerCase().includes(wanted))
                .sort(inOrder)
                .map((row) => (
                  <Link
                    key={row.id}
                    to="/integrations/connect/$provider"
                    params={{ provider: row.id }}
                    search={{ workspace: workspace.slug }}
                    className={css.choice ?? ''}
                  >
                    <Mark name={row.name} />
                    {row.name}
                  </Link>
                ))}
            </div>
          )}
        </Await>
      </div>
    </Card>
  );
}

function NewProvider({ workspace }: { workspace: SessionWorkspace }) {
  const given = useQuery(integrations(workspace.id));
  const there = useQuery(providers(workspace.id));
  const [from, setFrom] = useState<From>('given');
  return (
    <Page
      title="Create provider"
      narrow
      crumbs={[
        <Link key="up" to="/w/$workspace/providers" params={{ workspace: workspace.slug }}>
          AI providers
        </Link>,
      ]}
    >
      <Cards label="Credentials" value={from} options={FROM} onChange={setFrom} />
      <Await queries={[given, there]}>
        {() =>
          from === 'own' ? (
            <OwnCredentials workspace={workspace} />
          ) : given.data?.length === 0 ? (
            <State icon={KeyRound} title="No integration was given to this workspace" small>
              An administrator of the organisation gives integrations to workspaces. Or use credentials of the workspace, if the
              organisation permits it.
            </State>
          ) : (
            <FromGiven workspace={workspace} given={given.data ?? []} taken={(there.data ?? []).map((one) => one.slug)} />
          )
        }
      </Await>
    </Page>
  );
}

export const NewProviderPage = () => (
  <WorkspaceGate>{(workspace) => <NewProvider key={workspace.slug} workspace={workspace} />}</WorkspaceGate>
);
