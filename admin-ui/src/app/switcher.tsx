/* Which workspace one works in. The page stays the same kind of page where it can. */
import { useNavigate, useParams, useRouterState } from '@tanstack/react-router';
import { Check, ChevronsUpDown } from 'lucide-react';
import { useState } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { Dialog, DialogTrigger } from 'react-aria-components/Dialog';
import { ListBox, ListBoxItem } from 'react-aria-components/ListBox';
import { Popover } from 'react-aria-components/Popover';
import { useSession, type SessionWorkspace } from '~/auth/session';
import choice from '~/ui/choice.module.css';
import { SearchField } from '~/ui/field';
import { Mark } from '~/ui/mark';
import css from './switcher.module.css';
import { WORKSPACE } from './nav';
import { useNearWorkspace } from './workspace';
import { Glyph } from './wordmark';

const SEARCH_FROM = 8;
const SHOWN_MAX = 100;

const Face = ({ workspace }: { workspace: SessionWorkspace }) =>
  workspace.icon === '' ? (
    <Mark name={workspace.name} />
  ) : (
    <span className={css.icon} aria-hidden>
      {workspace.icon}
    </span>
  );

function List({ onDone }: { onDone: () => void }) {
  const { workspaces } = useSession();
  const near = useNearWorkspace();
  const inWorkspace = useParams({ strict: false }).workspace !== undefined;
  const path = useRouterState({ select: (state) => state.location.pathname });
  const navigate = useNavigate();
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const found = workspaces.filter((one) => `${one.name} ${one.slug}`.toLowerCase().includes(wanted)).slice(0, SHOWN_MAX);
  const go = (slug: string) => {
    onDone();
    // The same page of the other workspace, where there is one that every workspace has.
    const here = WORKSPACE.find((one) => inWorkspace && path.includes(one.to.slice('/w/$workspace'.length)));
    const to = here?.to ?? '/w/$workspace/models';
    void navigate({ to, params: { workspace: slug } });
  };
  return (
    <>
      {workspaces.length >= SEARCH_FROM && (
        <div className={css.search}>
          <SearchField label="Search workspaces" value={search} onChange={setSearch} />
        </div>
      )}
      <ListBox
        aria-label="Workspaces"
        className={choice.list ?? ''}
        items={found}
        selectionMode="single"
        selectedKeys={near ? [near.slug] : []}
        onAction={(key) => go(String(key))}
        onSelectionChange={(keys) => keys !== 'all' && keys.size > 0 && go(String([...keys][0]))}
        renderEmptyState={() => <p className={css.none}>No workspace matches.</p>}
      >
        {(one: SessionWorkspace) => (
          <ListBoxItem id={one.slug} textValue={one.name} className={choice.option ?? ''}>
            <Face workspace={one} />
            <span className={choice.optionText}>
              {one.name}
              {one.id !== '' && <span className={choice.note}>{one.slug}</span>}
            </span>
            <Check size={13} aria-hidden className={choice.tick} />
          </ListBoxItem>
        )}
      </ListBox>
    </>
  );
}

export function Switcher() {
  const near = useNearWorkspace();
  const [open, setOpen] = useState(false);
  return (
    <DialogTrigger isOpen={open} onOpenChange={setOpen}>
      <AriaButton className={css.button ?? ''}>
        {near === undefined ? <Glyph /> : <Face workspace={near} />}
        <span className={css.name}>{near?.name ?? 'No workspace'}</span>
        <span className="visually-hidden">Switch workspace</span>
        <ChevronsUpDown size={13} aria-hidden className={css.arrows} />
      </AriaButton>
      <Popover className={choice.popover ?? ''} placement="bottom start" offset={4}>
        <Dialog aria-label="Switch workspace" className={css.dialog ?? ''}>
          <List onDone={() => setOpen(false)} />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
