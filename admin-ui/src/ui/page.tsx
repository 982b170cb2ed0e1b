/* The frame of a page: where one is, what it is, what can be done with it. */
import { ChevronRight } from 'lucide-react';
import { Fragment, type ReactNode } from 'react';
import { cx } from '~/lib/cx';
import { useTitle } from '~/lib/use-title';
import css from './page.module.css';

interface PageProps {
  title: string;
  /** Links to the pages above this one. */
  crumbs?: ReactNode[];
  /** Beside the title: a state, a count. */
  mark?: ReactNode;
  about?: ReactNode;
  actions?: ReactNode;
  tabs?: ReactNode;
  /** Forms and texts read better narrow. */
  narrow?: boolean;
  children: ReactNode;
}

export function Page({ title, crumbs = [], mark, about, actions, tabs, narrow = false, children }: PageProps) {
  useTitle(title);
  return (
    <div className={cx(css.page, narrow && css.narrow)}>
      <header className={css.header}>
        <div className={css.where}>
          {crumbs.length > 0 && (
            <nav aria-label="Breadcrumb" className={css.crumbs}>
              {crumbs.map((crumb, i) => (
                <Fragment key={i}>
                  {crumb}
                  <ChevronRight size={12} aria-hidden />
                </Fragment>
              ))}
            </nav>
          )}
          <div className={css.titleRow}>
            <h1 className={css.title}>{title}</h1>
            {mark}
          </div>
          {about !== undefined && <p className={css.about}>{about}</p>}
        </div>
        {actions !== undefined && <div className={css.actions}>{actions}</div>}
      </header>
      {tabs}
      <div className={css.content}>{children}</div>
    </div>
  );
}

export const Toolbar = ({ children }: { children: ReactNode }) => <div className={css.toolbar}>{children}</div>;

/** Pushes what follows to the other end of a toolbar. */
export const Spacer = () => <span className={css.spacer} />;

interface SectionProps {
  title: string;
  about?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

export function Section({ title, about, actions, children }: SectionProps) {
  return (
    <section className={css.section}>
      <div className={css.sectionHead}>
        <div>
          <h2 className={css.sectionTitle}>{title}</h2>
          {about !== undefined && <p className={css.about}>{about}</p>}
        </div>
        {actions !== undefined && <div className={css.actions}>{actions}</div>}
      </div>
      {children}
    </section>
  );
}

export const Card = ({ children, flush = false }: { children: ReactNode; flush?: boolean }) => (
  <div className={cx(css.card, flush && css.flush)}>{children}</div>
);

/** Names and values, one a line. */
export function Facts({ items }: { items: [string, ReactNode][] }) {
  return (
    <dl className={css.facts}>
      {items.map(([name, value]) => (
        <div key={name} className={css.fact}>
          <dt>{name}</dt>
          <dd>{value ?? <span className={css.none}>unknown</span>}</dd>
        </div>
      ))}
    </dl>
  );
}
