/* One model: how to call it, what it can, what it costs. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Boxes, FlaskConical } from 'lucide-react';
import { aiProviders, consoleFacts } from '~/api/queries';
import type { SessionWorkspace } from '~/auth/session';
import { WorkspaceGate } from '~/app/workspace-gate';
import { count, short } from '~/lib/format';
import { Badge } from '~/ui/badge';
import { ButtonLink } from '~/ui/button';
import { Copyable } from '~/ui/copy';
import { Mark } from '~/ui/mark';
import { Card, Facts, Page, Section } from '~/ui/page';
import { Await, Notice, State } from '~/ui/states';
import { CAPABILITIES, TYPES } from './filters';
import { useModels, type ModelView } from './model-data';
import css from './models.module.css';
import { priceLines } from './prices';
import { SnippetTabs } from './snippet-tabs';
import { KEY } from './snippet-parts';
import { snippetsOf } from './snippets';

const route = getRouteApi('/inside/w/$workspace/models/$');

function Prices({ model }: { model: ModelView }) {
  const lines = priceLines(model.known?.prices_picousd ?? {});
  if (lines.length === 0)
    return <p className={css.unknown}>No price is known. Where a cost budget applies, such a model is refused.</p>;
  return (
    <table className={css.prices}>
      <thead className="visually-hidden">
        <tr>
          <th scope="col">What</th>
          <th scope="col">Price</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={`${line.label} ${line.note}`}>
            <th scope="row">
              {line.label} {line.note !== '' && <span className={css.priceNote}>{line.note}</span>}
            </th>
            <td>
              {line.price} <span className={css.priceNote}>/ {line.per}</span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const tokens = (value: number | undefined) =>
  value === undefined ? undefined : <span title={`${count(value)} tokens`}>{short(value)} tokens</span>;

function Side({ model, kind }: { model: ModelView; kind: string }) {
  const known = model.known;
  const can = (known?.capabilities ?? []).filter((one) => one !== 'temperature');
  return (
    <div className={css.column}>
      <Section title="Price">
        <Card>
          <Prices model={model} />
        </Card>
      </Section>
      {can.length > 0 && (
        <Section title="Capabilities">
          <div className={css.capabilities}>
            {can.map((one) => (
              <Badge key={one} tone="accent">
                {CAPABILITIES[one] ?? one}
              </Badge>
            ))}
          </div>
        </Section>
      )}
      <Section title="Facts">
        <Card>
          <Facts
            items={[
              ['Provider', `@${model.provider}`],
              ['Service', kind],
              ['Type', known?.type && TYPES[known.type]],
              ['Context', tokens(known?.limits?.context_window_tokens)],
              ['Longest answer', tokens(known?.limits?.max_output_tokens)],
              ['Reads', known?.input?.join(', ')],
              ['Writes', known?.output?.join(', ')],
              ['Knows until', known?.knowledge_cutoff],
              ['Released', known?.release_date],
            ]}
          />
        </Card>
      </Section>
    </div>
  );
}

function Model({ model, workspace }: { model: ModelView; workspace: SessionWorkspace }) {
  const facts = useQuery(consoleFacts);
  const kinds = useQuery(aiProviders);
  const kind = kinds.data?.find((one) => one.id === model.kind)?.name ?? model.kind;
  const gateway = facts.data?.gateway_url.replace(/\/+$/, '') || window.location.origin.replace(/:\d+$/, ':8787');
  const snippets = snippetsOf({
    gateway,
    provider: model.provider,
    model: model.slug,
    kind: model.kind,
    type: model.known?.type,
    input: model.known?.input ?? [],
    output: model.known?.output ?? [],
    units: Object.keys(model.known?.prices_picousd ?? {}),
  });
  const chat = model.known?.type === undefined || model.known.type === 'chat';
  return (
    <Page
      title={model.name}
      crumbs={[
        <Link key="up" to="/w/$workspace/models" params={{ workspace: workspace.slug }}>
          Models
        </Link>,
      ]}
      mark={
        <>
          <Mark name={kind} />
          <Copyable text={model.id} label="Copy model string" />
          {model.known?.status !== undefined && <Badge tone="warn">{model.known.status}</Badge>}
        </>
      }
      actions={
        chat && (
          <ButtonLink
            to="/w/$workspace/playground"
            params={{ workspace: workspace.slug }}
            search={{ models: model.id }}
            icon={FlaskConical}
          >
            Try in playground
          </ButtonLink>
        )
      }
    >
      <div className={css.split}>
        <Section title="Call it">
          {snippets.length === 0 ? (
            <Notice>Models of this kind are called over connections of their own; there is no ready-made snippet for it.</Notice>
          ) : (
            <>
              <p className={css.about}>
                With a key of this workspace in the environment:{' '}
                <Copyable text={`export ${KEY}=slk_…`} label="Copy the line for the key" />
              </p>
              <SnippetTabs snippets={snippets} />
            </>
          )}
        </Section>
        <Side model={model} kind={kind} />
      </div>
    </Page>
  );
}

function Find({ workspace, id }: { workspace: SessionWorkspace; id: string }) {
  const { list, rows, loading } = useModels(workspace.id);
  const model = rows.find((one) => one.id === id);
  return (
    <Await queries={[list, { isPending: loading, isError: false, error: null, refetch: () => undefined }]}>
      {() =>
        model === undefined ? (
          <State
            icon={Boxes}
            title="No such model here"
            actions={
              <ButtonLink to="/w/$workspace/models" params={{ workspace: workspace.slug }}>
                All models
              </ButtonLink>
            }
          >
            This workspace has no model {id}. It may have been switched off, or its provider may be gone.
          </State>
        ) : (
          <Model model={model} workspace={workspace} />
        )
      }
    </Await>
  );
}

export function ModelPage() {
  const { _splat = '' } = route.useParams();
  return <WorkspaceGate>{(workspace) => <Find workspace={workspace} id={_splat} />}</WorkspaceGate>;
}
