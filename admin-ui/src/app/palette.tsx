/* The command palette: every page, workspace, integration and model, by typing a part of its name. */
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { ArrowRight, Boxes, Building, Cable, CornerDownLeft, LogOut, Moon, Search, Sun, type LucideIcon } from 'lucide-react';
import { useMemo, useState, type KeyboardEvent } from 'react';
import { Dialog as AriaDialog } from 'react-aria-components/Dialog';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';
import { integrations, models } from '~/api/queries';
import { leave } from '~/auth/person';
import { signOut, useSession } from '~/auth/session';
import { cx } from '~/lib/cx';
import { rank } from '~/lib/rank';
import { Kbd } from '~/ui/badge';
import { HELP, offered, ORGANISATION, WORKSPACE } from './nav';
import css from './palette.module.css';
import { setTheme } from './theme';
import { useNearWorkspace } from './workspace';

interface Command {
  id: string;
  group: string;
  label: string;
  note?: string;
  words: string;
  icon: LucideIcon;
  run: () => void;
}

const SHOWN_MAX = 40;

function useCommands(): Command[] {
  const session = useSession();
  const workspace = useNearWorkspace();
  const navigate = useNavigate();
  const modelList = useQuery({ ...models(workspace?.id ?? ''), enabled: workspace !== undefined });
  const integrationList = useQuery({ ...integrations(), enabled: session.admin });
  return useMemo(() => {
    const slug = workspace?.slug ?? '';
    const pages = offered(
      [...(workspace === undefined ? [] : WORKSPACE), ...(session.admin ? ORGANISATION : []), ...HELP],
      session,
    );
    return [
      ...pages.map((page) => ({
        id: page.to,
        group: 'Go to',
        label: page.label,
        words: page.words,
        icon: page.icon,
        run: () => void navigate({ to: page.to, params: { workspace: slug } }),
      })),
      ...session.workspaces
        .filter((one) => one.slug !== slug)
        .map((one) => ({
          id: `workspace:${one.slug}`,
          group: 'Switch to workspace',
          label: one.name,
          note: one.slug,
          words: one.slug,
          icon: Building,
          run: () => void navigate({ to: '/w/$workspace/models', params: { workspace: one.slug } }),
        })),
      ...(integrationList.data ?? []).map((one) => ({
        id: `integration:${one.slug}`,
        group: 'Integrations',
        label: one.name,
        note: one.slug,
        words: `${one.slug} ${one.ai_provider_id}`,
        icon: Cable,
        run: () => void navigate({ to: '/integrations/$integration', params: { integration: one.slug } }),
      })),
      ...(modelList.data ?? []).map((one) => ({
        id: `model:${one.id}`,
        group: 'Models',
        label: one.id,
        words: one.owned_by,
        icon: Boxes,
        run: () => void navigate({ to: '/w/$workspace/models/$', params: { workspace: slug, _splat: one.id } }),
      })),
      { id: 'light', group: 'Console', label: 'Light theme', words: 'appearance', icon: Sun, run: () => setTheme('light') },
      { id: 'dark', group: 'Console', label: 'Dark theme', words: 'appearance', icon: Moon, run: () => setTheme('dark') },
      {
        id: 'system',
        group: 'Console',
        label: 'Theme as the system',
        words: 'appearance',
        icon: Sun,
        run: () => setTheme('system'),
      },
      { id: 'out', group: 'Console', label: 'Sign out', words: 'leave', icon: LogOut, run: () => signOut(leave) },
    ];
  }, [session, workspace, navigate, modelList.data, integrationList.data]);
}

/** What is shown before anything is typed: no long lists. */
const atFirst = (all: Command[]) =>
  all.filter((command) => command.group !== 'Models' && command.group !== 'Integrations').slice(0, SHOWN_MAX);

export default function Palette({ onClose }: { onClose: () => void }) {
  const commands = useCommands();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const shown = useMemo(
    () =>
      text.trim() === ''
        ? atFirst(commands)
        : rank(
            commands,
            text,
            (one) => one.label,
            (one) => one.words,
          ).slice(0, SHOWN_MAX),
    [commands, text],
  );
  const current = Math.min(at, Math.max(0, shown.length - 1));
  const run = (command: Command | undefined) => {
    if (command === undefined) return;
    onClose();
    command.run();
  };
  const onKey = (event: KeyboardEvent) => {
    const by =
      event.key === 'ArrowDown' || (event.ctrlKey && event.key === 'n')
        ? 1
        : event.key === 'ArrowUp' || (event.ctrlKey && event.key === 'p')
          ? -1
          : 0;
    if (by !== 0) {
      const next = (current + by + shown.length) % Math.max(1, shown.length);
      setAt(next);
      document.getElementById(`command-${next}`)?.scrollIntoView({ block: 'nearest' });
      event.preventDefault();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(shown[current]);
    }
  };
  return (
    <ModalOverlay className={css.scrim ?? ''} isOpen onOpenChange={(open) => !open && onClose()} isDismissable>
      <Modal className={css.modal ?? ''}>
        <AriaDialog aria-label="Go to" className={css.dialog ?? ''}>
          <div className={css.head}>
            <Search size={16} aria-hidden />
            <input
              autoFocus
              className={css.input}
              placeholder="Page, model, integration, workspace…"
              aria-label="Search"
              role="combobox"
              aria-expanded="true"
              aria-controls="commands"
              aria-activedescendant={shown.length > 0 ? `command-${current}` : undefined}
              value={text}
              onChange={(event) => {
                setText(event.target.value);
                setAt(0);
              }}
              onKeyDown={onKey}
              spellCheck="false"
            />
            <Kbd>Esc</Kbd>
          </div>
          <div id="commands" role="listbox" aria-label="Results" className={css.list}>
            {shown.map((command, index) => (
              <div key={command.id} role="presentation">
                {command.group !== shown[index - 1]?.group && (
                  <div className={css.group} role="presentation">
                    {command.group}
                  </div>
                )}
                {/* The field above has the keys; a mouse may press. */}
                {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events */}
                <div
                  id={`command-${index}`}
                  role="option"
                  aria-selected={index === current}
                  tabIndex={-1}
                  className={cx(css.command, index === current && css.current)}
                  onMouseMove={() => setAt(index)}
                  onClick={() => run(command)}
                >
                  <command.icon size={15} strokeWidth={1.8} aria-hidden />
                  <span className={css.label}>{command.label}</span>
                  {command.note !== undefined && <span className={css.note}>{command.note}</span>}
                  {index === current ? (
                    <CornerDownLeft size={13} aria-hidden />
                  ) : (
                    <ArrowRight size={13} aria-hidden className={css.hidden} />
                  )}
                </div>
              </div>
            ))}
          </div>
          {shown.length === 0 && <p className={css.none}>Nothing is called that.</p>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
