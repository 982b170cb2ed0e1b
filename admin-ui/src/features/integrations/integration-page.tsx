/* One integration: its credentials, who has it, what it offers. While it is being connected the same parts are steps. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ArrowLeft, ArrowRight, Check } from 'lucide-react';
import { useState } from 'react';
import { useChange } from '~/api/changes';
import { del, segment } from '~/api/http';
import { aiProviders, integration } from '~/api/queries';
import type { Integration } from '~/api/types';
import { useSession } from '~/auth/session';
import { Badge } from '~/ui/badge';
import { Button, ButtonLink } from '~/ui/button';
import { Copyable } from '~/ui/copy';
import { Confirm } from '~/ui/dialog';
import { Mark } from '~/ui/mark';
import { Page } from '~/ui/page';
import { Await, SkeletonRows } from '~/ui/states';
import { Stepper } from '~/ui/stepper';
import { TabLink, TabLinks } from '~/ui/tabs';
import css from './integrations.module.css';
import { ModelsPanel } from './models-panel';
import { Overview } from './overview';
import { stepsOf } from './steps';
import { TestButton } from './test-connection';
import { WorkspacesPanel } from './workspaces-panel';

const route = getRouteApi('/inside/integrations/$integration');

function Remove({ row }: { row: Integration }) {
  const navigate = route.useNavigate();
  const [asking, setAsking] = useState(false);
  const remove = useChange(() => del(`/integrations/${segment(row.slug)}`, { force_delete: true }), {
    touches: [['integrations'], ['providers'], ['models']],
    done: `${row.name} was removed`,
    onDone: () => void navigate({ to: '/integrations', search: { tab: row.type === 'workspace' ? 'workspaces' : 'connected' } }),
  });
  return (
    <>
      <Button onPress={() => setAsking(true)}>Delete</Button>
      <Confirm
        title={`Delete ${row.name}?`}
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => remove.mutate(undefined)}
        action="Delete integration"
        change={remove}
        word={row.slug}
      >
        <p>
          Its credentials are destroyed, and every provider made from it stops answering at once, in{' '}
          {row.workspace_count === 1 ? 'one workspace' : `${row.workspace_count} workspaces`}.
        </p>
      </Confirm>
    </>
  );
}

function Steps({ row, step }: { row: Integration; step: string }) {
  const ofWorkspace = row.type === 'workspace';
  const last = step === 'models';
  const to = { to: '/integrations/$integration', params: { integration: row.slug } } as const;
  return (
    <div className={css.form}>
      <div className={css.steps}>
        <Stepper steps={stepsOf(ofWorkspace)} current={last && !ofWorkspace ? 2 : 1} />
      </div>
      {last ? <ModelsPanel row={row} /> : <WorkspacesPanel row={row} />}
      <div className={css.stepFoot}>
        <TestButton slug={row.slug} />
        {last && !ofWorkspace && (
          <ButtonLink {...to} search={{ step: 'workspaces' }} icon={ArrowLeft}>
            Back
          </ButtonLink>
        )}
        {last ? (
          <ButtonLink {...to} search={{}} look="primary" icon={Check}>
            Done
          </ButtonLink>
        ) : (
          <ButtonLink {...to} search={{ step: 'models' }} look="primary">
            Next: models
            <ArrowRight size={14} aria-hidden />
          </ButtonLink>
        )}
      </div>
    </div>
  );
}

function Parts({ row, tab }: { row: Integration; tab: string }) {
  if (tab === 'workspaces') return <WorkspacesPanel row={row} />;
  if (tab === 'models') return <ModelsPanel row={row} />;
  return <Overview row={row} />;
}

export function IntegrationPage() {
  const { integration: slug } = route.useParams();
  const { tab = 'overview', step } = route.useSearch();
  const session = useSession();
  const query = useQuery(integration(slug));
  const catalog = useQuery(aiProviders);
  const row = query.data;
  const kind = catalog.data?.find((one) => one.id === row?.ai_provider_id)?.name ?? row?.ai_provider_id ?? '';
  const ofWorkspace = row?.type === 'workspace';
  const link = { to: '/integrations/$integration', params: { integration: slug } } as const;
  const known = ['workspaces', 'models'].includes(tab) ? tab : 'overview';
  return (
    <Page
      title={row?.name ?? slug}
      crumbs={
        session.admin
          ? [
              <Link key="up" to="/integrations" search={{ tab: ofWorkspace ? 'workspaces' : 'connected' }}>
                Integrations
              </Link>,
            ]
          : []
      }
      mark={
        row && (
          <>
            <Mark name={kind} />
            <Copyable text={row.slug} label="Copy slug" />
            {ofWorkspace && <Badge tone="violet">workspace’s own</Badge>}
          </>
        )
      }
      actions={
        row &&
        step === undefined && (
          <>
            <TestButton slug={slug} />
            <Remove row={row} />
          </>
        )
      }
      tabs={
        step === undefined && (
          <TabLinks label="Integration">
            <TabLink {...link} search={{}} current={known === 'overview'}>
              Overview
            </TabLink>
            {!ofWorkspace && session.admin && (
              <TabLink {...link} search={{ tab: 'workspaces' }} current={known === 'workspaces'} count={row?.workspace_count}>
                Workspaces
              </TabLink>
            )}
            <TabLink {...link} search={{ tab: 'models' }} current={known === 'models'}>
              Models
            </TabLink>
          </TabLinks>
        )
      }
    >
      <Await queries={[query]} skeleton={<SkeletonRows />}>
        {() => row && (step === undefined ? <Parts row={row} tab={known} /> : <Steps row={row} step={step} />)}
      </Await>
    </Page>
  );
}
