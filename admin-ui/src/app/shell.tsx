/* What stays around every page behind sign-in: navigation, search, switcher. */
import { Outlet, useRouterState } from '@tanstack/react-router';
import { Menu as MenuIcon, X } from 'lucide-react';
import { lazy, Suspense, useCallback, useState } from 'react';
import { useMaybeSession } from '~/auth/session';
import { cx } from '~/lib/cx';
import { useNarrow } from '~/lib/use-media';
import { IconButton } from '~/ui/button';
import { useHotkeys } from './hotkeys';
import css from './shell.module.css';
import { Sidebar } from './sidebar';
import { Glyph } from './wordmark';

const Palette = lazy(() => import('./palette'));

export function Shell() {
  const signedIn = useMaybeSession() !== null;
  const narrow = useNarrow();
  const path = useRouterState({ select: (state) => state.location.pathname });
  // The page the menu was opened on: on another it is shut again.
  const [menuAt, setMenuAt] = useState<string>();
  const [palette, setPalette] = useState(false);
  const menu = menuAt === path;
  const openPalette = useCallback(() => setPalette(true), []);
  useHotkeys(openPalette);
  if (!signedIn) return null; // on its way to the sign-in page
  const shown = !narrow || menu;
  return (
    <div className={css.shell}>
      <a href="#main" className={css.skip}>
        Skip to content
      </a>
      {narrow && (
        <header className={css.bar}>
          <IconButton
            label={menu ? 'Close menu' : 'Menu'}
            icon={menu ? X : MenuIcon}
            onPress={() => setMenuAt(menu ? undefined : path)}
          />
          <Glyph />
          <strong>Sluice</strong>
        </header>
      )}
      {shown && (
        <div className={cx(css.side, narrow && css.sideOver)}>
          <Sidebar onSearch={openPalette} />
        </div>
      )}
      <main id="main" className={css.main} tabIndex={-1}>
        <Outlet />
      </main>
      {palette && (
        <Suspense fallback={null}>
          <Palette onClose={() => setPalette(false)} />
        </Suspense>
      )}
    </div>
  );
}
