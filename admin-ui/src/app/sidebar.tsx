import { Link, useRouter } from '@tanstack/react-router';
import { LogOut, Monitor, Moon, Search, Sun, type LucideIcon } from 'lucide-react';
import { useId, type ReactNode } from 'react';
import { leave as end } from '~/auth/person';
import { signOut, useSession } from '~/auth/session';
import { Kbd } from '~/ui/badge';
import { IconButton } from '~/ui/button';
import { HELP, offered, ORGANISATION, WORKSPACE, type Destination } from './nav';
import css from './sidebar.module.css';
import { Switcher } from './switcher';
import { setTheme, useTheme, type Theme } from './theme';
import { useNearWorkspace } from './workspace';

const THEMES: Record<Theme, { next: Theme; icon: LucideIcon; label: string }> = {
  system: { next: 'light', icon: Monitor, label: 'Theme: as the system' },
  light: { next: 'dark', icon: Sun, label: 'Theme: light' },
  dark: { next: 'system', icon: Moon, label: 'Theme: dark' },
};

function Group({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  return (
    <div role="group" aria-labelledby={id} className={css.group}>
      <div id={id} className={css.title}>
        {title}
      </div>
      {children}
    </div>
  );
}

function Item({ destination: { label, icon: Icon, to }, workspace }: { destination: Destination; workspace: string }) {
  return (
    <Link
      to={to}
      params={{ workspace }}
      className={css.item ?? ''}
      activeProps={{ 'aria-current': 'page' }}
      activeOptions={{ includeSearch: false }}
    >
      <Icon size={15} strokeWidth={1.8} aria-hidden />
      {label}
    </Link>
  );
}

export function Sidebar({ onSearch }: { onSearch: () => void }) {
  const session = useSession();
  const router = useRouter();
  const workspace = useNearWorkspace();
  const theme = THEMES[useTheme()];
  const leave = () => {
    signOut(end);
    void router.navigate({ to: '/sign-in' });
  };
  return (
    <div className={css.sidebar}>
      <Switcher />
      <button type="button" className={css.search} onClick={onSearch}>
        <Search size={14} aria-hidden />
        <span>Go to…</span>
        <Kbd>Ctrl K</Kbd>
      </button>
      <nav aria-label="Main" className={css.nav}>
        {workspace !== undefined && (
          <Group title="Workspace">
            {offered(WORKSPACE, session).map((destination) => (
              <Item key={destination.to} destination={destination} workspace={workspace.slug} />
            ))}
          </Group>
        )}
        {session.admin && (
          <Group title="Organisation">
            {offered(ORGANISATION, session).map((destination) => (
              <Item key={destination.to} destination={destination} workspace="" />
            ))}
          </Group>
        )}
        <Group title="Help">
          {HELP.map((destination) => (
            <Item key={destination.to} destination={destination} workspace="" />
          ))}
        </Group>
      </nav>
      <footer className={css.foot}>
        <div className={css.who}>
          <span className={css.whoName}>{session.organisation.name === '' ? session.who : session.organisation.name}</span>
          {session.organisation.name !== '' && <span className={css.whoNote}>{session.who}</span>}
        </div>
        <IconButton label={theme.label} icon={theme.icon} small onPress={() => setTheme(theme.next)} />
        <IconButton label="Sign out" icon={LogOut} small onPress={leave} />
      </footer>
    </div>
  );
}
