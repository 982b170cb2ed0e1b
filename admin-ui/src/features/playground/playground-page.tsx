/* The playground: one prompt, up to four models, answers as they come. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { ArrowUp, Eraser, FlaskConical, Plus, SlidersHorizontal, Square, X } from 'lucide-react';
import { useMemo, useState, type KeyboardEvent } from 'react';
import { consoleFacts } from '~/api/queries';
import { messageOf } from '~/api/errors';
import type { SessionWorkspace } from '~/auth/session';
import { WorkspaceGate } from '~/app/workspace-gate';
import { useModels, type ModelView } from '~/features/models/model-data';
import { useTitle } from '~/lib/use-title';
import { Button, IconButton } from '~/ui/button';
import { Dialog } from '~/ui/dialog';
import dialog from '~/ui/dialog.module.css';
import { Fields, TextField } from '~/ui/field';
import { Await, Notice, State } from '~/ui/states';
import { Answers } from './answers';
import type { Settings } from './chat';
import { ModelPicker } from './model-picker';
import css from './playground.module.css';
import { useCallingKey } from './use-calling-key';
import { useConversations } from './use-conversations';

const route = getRouteApi('/inside/w/$workspace/playground');
const MODELS_MAX = 4;

const isChat = (model: ModelView): boolean => model.known?.type === undefined || model.known.type === 'chat';

/** Chosen models are kept in the address; a model string never holds a comma-space. */
const SEPARATOR = ', ';

function useChosen(rows: readonly ModelView[]) {
  const { models = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const chosen = useMemo(() => {
    const wanted = models === '' ? [] : models.split(SEPARATOR);
    return wanted.map((id) => rows.find((row) => row.id === id)).filter((row) => row !== undefined);
  }, [models, rows]);
  const choose = (ids: string[]) =>
    void navigate({
      search: ids.length === 0 ? {} : { models: [...new Set(ids)].slice(0, MODELS_MAX).join(SEPARATOR) },
      replace: true,
    });
  return { chosen, choose };
}

function SettingsDialog({
  settings,
  onChange,
  onClose,
}: {
  settings: Settings;
  onChange: (settings: Settings) => void;
  onClose: () => void;
}) {
  return (
    <Dialog title="Settings of the request" open onClose={onClose} drawer>
      <div className={dialog.body}>
        <Fields>
          <TextField
            label="System prompt"
            value={settings.system}
            onChange={(system) => onChange({ ...settings, system })}
            rows={6}
            required={false}
          />
          <TextField
            label="Temperature"
            value={settings.temperature}
            onChange={(temperature) => onChange({ ...settings, temperature })}
            numeric
            required={false}
            placeholder="the model’s own"
          />
          <TextField
            label="Longest answer"
            value={settings.maxTokens}
            onChange={(maxTokens) => onChange({ ...settings, maxTokens })}
            numeric
            required={false}
            after="tokens"
            placeholder="the model’s own"
          />
        </Fields>
      </div>
    </Dialog>
  );
}

interface ComposerProps {
  disabled: boolean;
  running: boolean;
  onSend: (prompt: string) => void;
  onStop: () => void;
}

function Composer({ disabled, running, onSend, onStop }: ComposerProps) {
  const [prompt, setPrompt] = useState('');
  const ready = prompt.trim() !== '' && !disabled && !running;
  const send = () => {
    if (!ready) return;
    onSend(prompt.trim());
    setPrompt('');
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <div className={css.composer}>
      <textarea
        className={css.prompt}
        aria-label="Prompt"
        placeholder={disabled ? 'Choose a model first' : 'Ask something. Enter sends, Shift-Enter is a new line.'}
        rows={Math.min(8, 1 + prompt.split('\n').length)}
        value={prompt}
        onChange={(event) => setPrompt(event.target.value)}
        onKeyDown={onKey}
      />
      {running ? (
        <IconButton label="Stop" icon={Square} look="plain" onPress={onStop} />
      ) : (
        <IconButton label="Send" icon={ArrowUp} look="primary" isDisabled={!ready} onPress={send} />
      )}
    </div>
  );
}

function Playground({ workspace }: { workspace: SessionWorkspace }) {
  const { list, rows, loading } = useModels(workspace.id);
  const facts = useQuery(consoleFacts);
  const usable = useMemo(() => rows.filter(isChat), [rows]);
  const { chosen, choose } = useChosen(usable);
  const { conversations, send, stop, clear, running } = useConversations();
  const keyOf = useCallingKey(workspace.id);
  const [settings, setSettings] = useState<Settings>({ system: '', temperature: '', maxTokens: '' });
  const [showSettings, setShowSettings] = useState(false);
  const [picking, setPicking] = useState(false);
  const [fault, setFault] = useState<string>();
  useTitle('Playground');
  const ids = chosen.map((model) => model.id);
  const gateway = (facts.data?.gateway_url ?? '').replace(/\/+$/, '');
  const ask = async (prompt: string) => {
    setFault(undefined);
    try {
      send({ gateway, key: await keyOf(), models: ids, prompt, settings });
    } catch (error) {
      setFault(messageOf(error));
    }
  };
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1 className={css.title}>Playground</h1>
        <Button
          small
          icon={Plus}
          onPress={() => setPicking(true)}
          isDisabled={chosen.length >= MODELS_MAX || usable.length === 0}
        >
          Add model
        </Button>
        <Button small icon={SlidersHorizontal} onPress={() => setShowSettings(true)}>
          Settings
        </Button>
        <Button small icon={Eraser} onPress={clear} isDisabled={Object.keys(conversations).length === 0}>
          Start over
        </Button>
      </header>
      <Await queries={[list, facts, { isPending: loading, isError: false, error: null, refetch: () => undefined }]}>
        {() =>
          chosen.length === 0 ? (
            <div className={css.empty}>
              <State
                icon={FlaskConical}
                title={usable.length === 0 ? 'No chat model is available here' : 'Choose a model, or up to four'}
                actions={
                  usable.length > 0 && (
                    <Button look="primary" icon={Plus} onPress={() => setPicking(true)}>
                      Choose a model
                    </Button>
                  )
                }
              >
                {usable.length === 0
                  ? 'Models appear as soon as an administrator gives this workspace an integration.'
                  : 'The same prompt goes to all of them through the gateway; answers, time, tokens and cost stand side by side. What is asked here is counted like any other use.'}
              </State>
            </div>
          ) : (
            <div
              className={css.columns}
              style={{ gridTemplateColumns: `repeat(${chosen.length}, minmax(min(280px, 80vw), 1fr))` }}
            >
              {chosen.map((model) => (
                <section key={model.id} className={css.column} aria-label={model.id}>
                  <header className={css.columnHead}>
                    <span className={css.model}>{model.id}</span>
                    <IconButton
                      label={`Remove ${model.id}`}
                      icon={X}
                      small
                      onPress={() => choose(ids.filter((id) => id !== model.id))}
                    />
                  </header>
                  <Answers exchanges={conversations[model.id] ?? []} prices={model.known?.prices_picousd} />
                </section>
              ))}
            </div>
          )
        }
      </Await>
      <footer className={css.foot}>
        {fault !== undefined && <Notice tone="bad">{fault}</Notice>}
        <Composer disabled={chosen.length === 0} running={running} onSend={(prompt) => void ask(prompt)} onStop={stop} />
      </footer>
      {showSettings && <SettingsDialog settings={settings} onChange={setSettings} onClose={() => setShowSettings(false)} />}
      {picking && (
        <ModelPicker models={usable} chosen={ids} onPick={(id) => choose([...ids, id])} onClose={() => setPicking(false)} />
      )}
    </div>
  );
}

export const PlaygroundPage = () => (
  <WorkspaceGate>{(workspace) => <Playground key={workspace.slug} workspace={workspace} />}</WorkspaceGate>
);
