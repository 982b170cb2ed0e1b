/* Step one of connecting a provider: its name and its credentials. They are sealed when this step is left, so no secret waits in the
 * page for the steps behind it; the integration reaches nobody before a workspace is chosen. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ArrowRight, ExternalLink } from 'lucide-react';
import { useState, type SyntheticEvent } from 'react';
import { useChange } from '~/api/changes';
import { ApiError, messageOf } from '~/api/errors';
import { post } from '~/api/http';
import { aiProvider, integrations } from '~/api/queries';
import type { AiProvider } from '~/api/types';
import { useSession } from '~/auth/session';
import { freeSlug, slugOf } from '~/lib/slug';
import { useFaultFocus } from '~/lib/use-fault-focus';
import { Button, ButtonLink } from '~/ui/button';
import { Row, TextField } from '~/ui/field';
import { Mark } from '~/ui/mark';
import { Card, Page } from '~/ui/page';
import { Await, Notice } from '~/ui/states';
import { Stepper } from '~/ui/stepper';
import { CredentialsFields } from './credentials-fields';
import css from './integrations.module.css';
import { specOf } from './specs';
import { stepsOf } from './steps';
import { checkValues, emptyValues, fieldOf, toBody, type Faults } from './values';

const route = getRouteApi('/inside/integrations/connect/$provider');

interface Made {
  id: string;
  slug: string;
}

interface FormProps {
  provider: AiProvider;
  selfHosted: boolean;
  /** Made for this workspace alone. */
  workspace: { id: string; slug: string } | undefined;
  taken: string[];
}

function useConnect({ provider, selfHosted, workspace, taken }: FormProps) {
  const navigate = route.useNavigate();
  const spec = specOf(provider, selfHosted);
  const fields = [...spec.main, ...spec.advanced];
  const first = selfHosted ? 'Self-hosted' : provider.name;
  const [name, setName] = useState(first);
  const [slug, setSlug] = useState<string>();
  const [values, setValues] = useState(() => emptyValues(fields));
  const [faults, setFaults] = useState<Faults>({});
  const suggested = freeSlug(slugOf(name), taken);
  const create = useChange(
    () =>
      post<Made>('/integrations', {
        name: name.trim(),
        slug: slug ?? suggested,
        ai_provider_id: provider.id,
        ...toBody(fields, values),
        ...(workspace && workspace.id !== '' && { workspace_id: workspace.id }),
      }),
    {
      touches: [['integrations'], ['providers'], ['models']],
      onDone: (made) =>
        void navigate({
          to: '/integrations/$integration',
          params: { integration: made.slug },
          search: { step: workspace ? 'models' : 'workspaces' },
        }),
    },
  );
  const submit = () => {
    const found = checkValues(fields, values);
    if (name.trim() === '') found.name = 'is required';
    setFaults(found);
    if (Object.keys(found).length === 0) create.mutate(undefined);
  };
  const refused = create.error instanceof ApiError ? create.error : undefined;
  const at =
    refused?.field === undefined
      ? undefined
      : ['name', 'slug'].includes(refused.field)
        ? refused.field
        : fieldOf(refused.field, fields);
  const conflict = refused?.status === 409 ? { slug: 'is taken by another integration' } : {};
  const shown: Faults = { ...(at !== undefined && refused ? { [at]: refused.rule } : {}), ...conflict, ...faults };
  const elsewhere = create.error !== null && at === undefined && refused?.status !== 409 ? messageOf(create.error) : undefined;
  return {
    spec,
    name,
    setName,
    slug: slug ?? suggested,
    setSlug,
    values,
    setValues,
    faults: shown,
    elsewhere,
    submit,
    pending: create.isPending,
  };
}

function ConnectForm(props: FormProps) {
  const form = useConnect(props);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    form.submit();
  };
  return (
    <form ref={useFaultFocus(form.faults)} onSubmit={submit} noValidate className={css.form}>
      <Card>
        <div className={css.form}>
          <Row>
            <TextField
              label="Name"
              value={form.name}
              onChange={form.setName}
              error={form.faults.name}
              required
              help="How your colleagues will know it."
              autoFocus
            />
            <TextField
              label="Slug"
              value={form.slug}
              onChange={form.setSlug}
              error={form.faults.slug}
              mono
              before="@"
              help="What developers will write: it becomes the name of the provider in each workspace."
            />
          </Row>
          <CredentialsFields spec={form.spec} values={form.values} onChange={form.setValues} faults={form.faults} />
          {form.elsewhere !== undefined && <Notice tone="bad">{form.elsewhere}</Notice>}
        </div>
      </Card>
      <div className={css.foot}>
        <ButtonLink to="/integrations">Cancel</ButtonLink>
        <Button type="submit" look="primary" pending={form.pending}>
          Save and go on
          <ArrowRight size={14} aria-hidden />
        </Button>
      </div>
    </form>
  );
}

function Aside({ provider, selfHosted }: { provider: AiProvider; selfHosted: boolean }) {
  return (
    <aside className={css.side}>
      <h2>What happens to a secret</h2>
      <p>
        It is sealed as it arrives, never shown again, and opened only inside a sandboxed worker for the moment of a request,
        which may take it to these hosts alone:
      </p>
      <ul className={css.sideList}>
        {selfHosted || (provider.hosts ?? []).length === 0 ? (
          <li>
            <code>your custom host</code>
          </li>
        ) : (
          provider.hosts?.map((host) => (
            <li key={host}>
              <code>{host}</code>
            </li>
          ))
        )}
      </ul>
      {provider.docs_url !== undefined && !selfHosted && (
        <a href={provider.docs_url} target="_blank" rel="noreferrer">
          {provider.name}’s documentation <ExternalLink size={12} aria-hidden />
        </a>
      )}
      {provider.status === 'retired' && <Notice tone="warn">This service has been shut down by its provider.</Notice>}
    </aside>
  );
}

export function ConnectPage() {
  const { provider } = route.useParams();
  const { workspace, self } = route.useSearch();
  const session = useSession();
  const target = session.workspaces.find((one) => one.slug === workspace);
  const selfHosted = self !== undefined;
  const row = useQuery(aiProvider(provider));
  const list = useQuery(integrations(target?.id));
  const name = selfHosted ? 'a self-hosted server' : (row.data?.name ?? provider);
  return (
    <Page
      title={`Connect ${name}`}
      crumbs={
        target && !session.admin
          ? [
              <Link key="up" to="/w/$workspace/providers" params={{ workspace: target.slug }}>
                AI providers
              </Link>,
            ]
          : [
              <Link key="up" to="/integrations">
                Integrations
              </Link>,
            ]
      }
      mark={row.data && !selfHosted && <Mark name={row.data.name} />}
      {...(target && { about: `For the workspace ${target.name} alone.` })}
    >
      <div className={css.steps}>
        <Stepper steps={stepsOf(target !== undefined)} current={0} />
      </div>
      <Await queries={[row, list]}>
        {() =>
          row.data && (
            <div className={css.split}>
              <ConnectForm
                provider={row.data}
                selfHosted={selfHosted}
                workspace={target}
                taken={(list.data ?? []).map((one) => one.slug)}
              />
              <Aside provider={row.data} selfHosted={selfHosted} />
            </div>
          )
        }
      </Await>
    </Page>
  );
}
