/* A new config, begun from what is meant. */
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState, type SyntheticEvent } from 'react';
import { useChange } from '~/api/changes';
import { ApiError, messageOf } from '~/api/errors';
import { post } from '~/api/http';
import { inWorkspace } from '~/api/queries';
import type { ConfigWritten } from '~/api/types';
import type { SessionWorkspace } from '~/auth/session';
import { WorkspaceGate } from '~/app/workspace-gate';
import { useModels, type ModelView } from '~/features/models/model-data';
import { Button, ButtonLink } from '~/ui/button';
import { Cards } from '~/ui/choice';
import { Row, TextField } from '~/ui/field';
import { Page } from '~/ui/page';
import { Await, Notice, SkeletonRows } from '~/ui/states';
import css from './configs.module.css';
import { Editor, isOfDocument } from './editor';
import { TEMPLATES, type Template } from './templates';

const route = getRouteApi('/inside/w/$workspace/configs/new');

/** Two chat models to begin with: the newest, of two providers if there are two. */
function pair(all: readonly ModelView[]): [string, string] {
  const chats = all
    .filter((one) => one.known?.type === 'chat')
    .sort((a, b) => (b.known?.release_date ?? '').localeCompare(a.known?.release_date ?? ''));
  const [first] = chats;
  const other = chats.find((one) => one.provider !== first?.provider) ?? chats[1];
  return [first?.id ?? '@provider/model', other?.id ?? '@provider/another-model'];
}

function Form({ workspace, known }: { workspace: SessionWorkspace; known: readonly ModelView[] }) {
  const navigate = route.useNavigate();
  const documentOf = (template: Template) => template.document(...pair(known));
  const [template, setTemplate] = useState(TEMPLATES[0]?.id ?? '');
  const [name, setName] = useState('');
  const [text, setText] = useState(() => (TEMPLATES[0] ? documentOf(TEMPLATES[0]) : '{}'));
  const create = useChange(
    () => post<ConfigWritten>('/configs', { name: name.trim(), config: text, ...inWorkspace(workspace.id) }),
    {
      touches: [['configs']],
      done: (made) => `${made.slug} was created`,
      onDone: (made) =>
        void navigate({
          to: '/w/$workspace/configs/$config',
          params: { workspace: workspace.slug, config: made.slug },
          state: (old) => ({ ...old, warnings: made.warnings ?? [] }),
        }),
    },
  );
  const choose = (id: string) => {
    const chosen = TEMPLATES.find((one) => one.id === id);
    setTemplate(id);
    if (chosen !== undefined) setText(documentOf(chosen));
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    create.mutate(undefined);
  };
  const { error } = create;
  const ofName = error instanceof ApiError && error.field === 'name';
  return (
    <form onSubmit={submit} noValidate className={css.form}>
      <Cards label="Begin with" value={template} options={TEMPLATES} onChange={choose} />
      <Row>
        <TextField label="Name" value={name} onChange={setName} error={ofName ? error.rule : undefined} required autoFocus />
      </Row>
      <Editor text={text} onChange={setText} refusal={error} warnings={[]} />
      {create.isError && !ofName && !isOfDocument(error) && <Notice tone="bad">{messageOf(error)}</Notice>}
      <div className={css.foot}>
        <ButtonLink to="/w/$workspace/configs" params={{ workspace: workspace.slug }}>
          Cancel
        </ButtonLink>
        <Button type="submit" look="primary" pending={create.isPending}>
          Create config
        </Button>
      </div>
    </form>
  );
}

function NewConfig({ workspace }: { workspace: SessionWorkspace }) {
  const { list, rows, loading } = useModels(workspace.id);
  return (
    <Page
      title="Create config"
      crumbs={[
        <Link key="up" to="/w/$workspace/configs" params={{ workspace: workspace.slug }}>
          Configs
        </Link>,
      ]}
    >
      <Await queries={[list]}>{() => (loading ? <SkeletonRows /> : <Form workspace={workspace} known={rows} />)}</Await>
    </Page>
  );
}

export const NewConfigPage = () => (
  <WorkspaceGate>{(workspace) => <NewConfig key={workspace.slug} workspace={workspace} />}</WorkspaceGate>
);
