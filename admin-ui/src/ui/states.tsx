/* The states every page has besides being full: loading, empty, refused, failed. One look for all of them. */
import {
  Ban,
  CircleAlert,
  CircleCheck,
  Info,
  RotateCw,
  Search,
  ShieldOff,
  TriangleAlert,
  Unplug,
  type LucideIcon,
} from 'lucide-react';
import type { ReactNode } from 'react';
import { ApiError, isForbidden, isMissing, messageOf, UnreachableError } from '~/api/errors';
import { cx } from '~/lib/cx';
import { Button } from './button';
import css from './states.module.css';

interface StateProps {
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
  small?: boolean;
}

export function State({ icon: Icon, title, children, actions, small = false }: StateProps) {
  return (
    <div className={cx(css.state, small && css.stateSmall)}>
      <span className={css.icon} aria-hidden>
        <Icon size={20} strokeWidth={1.6} />
      </span>
      <h2 className={css.title}>{title}</h2>
      {children !== undefined && <div className={css.text}>{children}</div>}
      {actions !== undefined && <div className={css.actions}>{actions}</div>}
    </div>
  );
}

export const NothingFound = ({ onClear, what }: { onClear: () => void; what: string }) => (
  <State icon={Search} title={`No ${what} match`} small actions={<Button onPress={onClear}>Clear filters</Button>}>
    Nothing here fits the search and the filters.
  </State>
);

export const NoPermission = ({ what = 'this page' }: { what?: string }) => (
  <State icon={ShieldOff} title="You may not see this">
    What you signed in with does not give access to {what}. An administrator of the organisation can change that.
  </State>
);

export function Failed({ error, onRetry }: { error: unknown; onRetry?: (() => void) | undefined }) {
  if (isForbidden(error)) return <NoPermission />;
  const retry = onRetry && (
    <Button icon={RotateCw} onPress={onRetry}>
      Try again
    </Button>
  );
  if (error instanceof UnreachableError)
    return (
      <State icon={Unplug} title="The control plane does not answer" actions={retry}>
        Models stay callable meanwhile: gateways work on with what they have.
      </State>
    );
  if (isMissing(error))
    return (
      <State icon={Ban} title="Not found">
        {messageOf(error)}
      </State>
    );
  return (
    <State icon={CircleAlert} title="This could not be loaded" actions={retry}>
      {messageOf(error)}
      {error instanceof ApiError && error.requestId !== undefined && (
        <div className={css.request}>
          Request <code>{error.requestId}</code>
        </div>
      )}
    </State>
  );
}

/** Grey bars where rows will be. */
export function SkeletonRows({ rows = 6, height = 41 }: { rows?: number; height?: number }) {
  return (
    <div className={css.skeleton} role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} className={css.skeletonRow} style={{ height }}>
          <span className={css.bar} style={{ width: `${34 - ((i * 7) % 15)}%` }} />
          <span className={css.bar} style={{ width: `${18 + ((i * 5) % 9)}%` }} />
          <span className={css.bar} style={{ width: `${9 + ((i * 3) % 6)}%` }} />
        </div>
      ))}
    </div>
  );
}

export function SkeletonCards({ cards = 9, height = 112 }: { cards?: number; height?: number }) {
  return (
    <div className={css.skeletonCards} role="status" aria-label="Loading">
      {Array.from({ length: cards }, (_, i) => (
        <div key={i} className={css.skeletonCard} style={{ height }}>
          <span className={css.bar} style={{ width: '46%' }} />
          <span className={css.bar} style={{ width: '72%' }} />
        </div>
      ))}
    </div>
  );
}

const NOTICE_ICONS = { info: Info, good: CircleCheck, warn: TriangleAlert, bad: CircleAlert };

export type Tone = keyof typeof NOTICE_ICONS;

/** A sentence that belongs to what stands around it. */
export function Notice({
  tone = 'info',
  title,
  children,
  actions,
}: {
  tone?: Tone;
  title?: string;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  const Icon = NOTICE_ICONS[tone];
  return (
    <div className={cx(css.notice, css[tone])} role={tone === 'bad' ? 'alert' : 'note'}>
      <Icon size={15} aria-hidden />
      <div className={css.noticeText}>
        {title !== undefined && <strong>{title}</strong>}
        {children}
      </div>
      {actions}
    </div>
  );
}

interface Loadable {
  isPending: boolean;
  isError: boolean;
  error: unknown;
  refetch: () => unknown;
}

/** Shows `children` once all queries have their data, otherwise what stands for it. */
export function Await({ queries, skeleton, children }: { queries: Loadable[]; skeleton?: ReactNode; children: () => ReactNode }) {
  const failed = queries.find((query) => query.isError);
  if (failed !== undefined)
    return <Failed error={failed.error} onRetry={() => queries.forEach((query) => query.isError && void query.refetch())} />;
  if (queries.some((query) => query.isPending)) return <>{skeleton ?? <SkeletonRows />}</>;
  return <>{children()}</>;
}
