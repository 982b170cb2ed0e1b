/* One config: its document, its versions, and how a request names it. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useRouterState } from '@tanstack/react-router';
import { useState, type SyntheticEvent } from 'react';
import { useChange } from '~/api/changes';
import { ApiError, messageOf } from '~/api/errors';
import { del, put, segment } from '~/api/http';
import { config as one, configVersions, inWorkspace } from '~/api/queries';
import type { Config, ConfigWritten } from '~/api/types';
import type { SessionWorkspace } from '~/auth/session';
import { WorkspaceGate } from '~/app/workspace-gate';
import { ago, dateTime } from '~/lib/format';
import { Badge } from '~/ui/badge';
import { Button } from '~/ui/button';
import { Switch } from '~/ui/choice';
import { Code } from '~/ui/code';
import { Copyable } from '~/ui/copy';
import { Confirm } from '~/ui/dialog';
import { Row, TextField } from '~/ui/field';
import { Page, Section } from '~/ui/page';
import { Await, Notice } from '~/ui/states';
import { Lines, Table, type Column } from '~/ui/table';
import css from './configs.module.css';
import { Editor, isOfDocument } from './editor';

const route = getRouteApi('/inside/w/$workspace/configs/$config');

declare module '@tanstack/react-router' {
  interface HistoryState {
    /** What the config that was just made holds without effect. */
    warnings?: string[];
  }
}

const textOf = (document: unknown): string => JSON.stringify(document, null, 2);

function Edit({ row, workspace }: { row: Config; workspace: SessionWorkspace }) {
  const told = useRouterState({ select: (state) => state.location.state.warnings });
  const [name, setName] = useState(row.name);
  const [text, setText] = useState(() => textOf(row.config));
  const [isDefault, setDefault] = useState(row.is_default === 1);
  const [warnings, setWarnings] = useState(told ?? []);
  const save = useChange(
    () =>
      put<ConfigWritten>(`/configs/${segment(row.slug)}`, {
        name: name.trim(),
        ...(text !== textOf(row.config) && { config: text }),
        is_default: isDefault,
        ...inWorkspace(workspace.id),
      }),
    {
      touches: [['configs'], ['config']],
      done: 'Saved',
      onDone: (written) => setWarnings(written.warnings ?? []),
    },
  );
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    setWarnings([]);
    save.mutate(undefined);
  };
  const { error } = save;
  const ofName = error instanceof ApiError && error.field === 'name';
  return (
    <>
      <form onSubmit={submit} noValidate className={css.form}>
        <Row>
          <TextField label="Name" value={name} onChange={setName} error={ofName ? error.rule : undefined} required />
        </Row>
        <Editor text={text} onChange={setText} refusal={error} warnings={warnings} />
        <Switch
          label="Default of the workspace"
          shown
          value={isDefault}
          onChange={setDefault}
          help="Holds for requests when neither they nor their key name a config."
        />
        {save.isError && !ofName && !isOfDocument(error) && <Notice tone="bad">{messageOf(error)}</Notice>}
        <div className={css.foot}>
          <Button type="submit" look="primary" pending={save.isPending}>
            Save
          </Button>
        </div>
      </form>
      <Versions row={row} workspace={workspace} onTake={(document) => setText(textOf(document))} />
    </>
  );
}

interface VersionsProps {
  row: Config;
  workspace: SessionWorkspace;
  onTake: (document: unknown) => void;
}

function Versions({ row, workspace, onTake }: VersionsProps) {
  const list = useQuery(configVersions(workspace.id, row.slug));
  const newest = [...(list.data ?? [])].sort((a, b) => b.last_updated_at.localeCompare(a.last_updated_at));
  const columns: Column<Config>[] = [
    {
      id: 'saved',
      head: 'Saved',
      width: '1fr',
      cell: (version) => <Lines first={ago(version.last_updated_at)} second={dateTime(version.last_updated_at)} />,
    },
    {
      id: 'take',
      head: <span className="visually-hidden">Bring back</span>,
      width: '150px',
      end: true,
      cell: (version) =>
        version.version_id === row.version_id ? (
          <Badge tone="good">in force</Badge>
        ) : (
          <Button small onPress={() => onTake(version.config)}>
            Into the editor
          </Button>
        ),
    },
  ];
  return (
    <Section title="Versions" about="Every document that was saved, up to a hundred.">
      <Await queries={[list]}>
        {() => <Table label="Versions" columns={columns} rows={newest} keyOf={(version) => version.version_id ?? ''} />}
      </Await>
    </Section>
  );
}

function Actions({ row, workspace }: { row: Config; workspace: SessionWorkspace }) {
  const navigate = route.useNavigate();
  const [asking, setAsking] = useState(false);
  const remove = useChange(() => del(`/configs/${segment(row.slug)}`, inWorkspace(workspace.id)), {
    touches: [['configs']],
    done: `${row.slug} was deleted`,
    onDone: () => void navigate({ to: '/w/$workspace/configs', params: { workspace: workspace.slug } }),
  });
  return (
    <>
      <Button onPress={() => setAsking(true)}>Delete</Button>
      <Confirm
        title={`Delete ${row.name}?`}
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => remove.mutate(undefined)}
        action="Delete config"
        change={remove}
        word={row.slug}
      >
        <p>Requests that name it are refused at once.</p>
      </Confirm>
    </>
  );
}

function OneConfig({ workspace }: { workspace: SessionWorkspace }) {
  const { config: slug } = route.useParams();
  const query = useQuery(one(workspace.id, slug));
  const row = query.data;
  return (
    <Page
      title={row?.name ?? slug}
      crumbs={[
        <Link key="up" to="/w/$workspace/configs" params={{ workspace: workspace.slug }}>
          Configs
        </Link>,
      ]}
      mark={
        row && (
          <>
            <Copyable text={row.slug} label="Copy slug" />
            {row.is_default === 1 && <Badge>default</Badge>}
          </>
        )
      }
      actions={row && <Actions row={row} workspace={workspace} />}
    >
      <Await queries={[query]}>
        {() =>
          row && (
            <>
              <Edit key={row.id} row={row} workspace={workspace} />
              <Section title="Use it" about="Name it in a request, or as the default of a key.">
                <Code code={`x-portkey-config: ${row.slug}`} language="text" label="Header" />
              </Section>
            </>
          )
        }
      </Await>
    </Page>
  );
}

export const ConfigPage = () => (
  <WorkspaceGate>{(workspace) => <OneConfig key={workspace.slug} workspace={workspace} />}</WorkspaceGate>
);
