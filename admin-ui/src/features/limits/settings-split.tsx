/* The page of a thing that has limits: its settings, and beside them what is left of its limits and what is known of it. */
import type { ReactNode } from 'react';
import type { LimitUsage } from '~/api/types';
import { dateTime } from '~/lib/format';
import { Card, Facts, Section } from '~/ui/page';
import { LimitsAside } from './limit-figures';
import css from './settings-split.module.css';

interface SettingsSplitProps {
  row: { id: string; usage: readonly LimitUsage[]; created_at: string; last_updated_at: string };
  /** Those of its own kind; when it was made and changed, and its id, follow. */
  facts: [string, ReactNode][];
  children: ReactNode;
}

export const SettingsSplit = ({ row, facts, children }: SettingsSplitProps) => (
  <div className={css.split}>
    {children}
    <div className={css.aside}>
      <LimitsAside usage={row.usage} />
      <Section title="Facts">
        <Card>
          <Facts
            items={[
              ...facts,
              ['Created', dateTime(row.created_at)],
              ['Changed', dateTime(row.last_updated_at)],
              ['ID', <code key="id">{row.id}</code>],
            ]}
          />
        </Card>
      </Section>
    </div>
  </div>
);
