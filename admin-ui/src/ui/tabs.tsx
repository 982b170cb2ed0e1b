/* Tabs inside a page (RAC) and links that divide one (their state is the address). */
import { createLink, type LinkComponent } from '@tanstack/react-router';
import { forwardRef, type AnchorHTMLAttributes, type ReactNode } from 'react';
import { Tab, TabList, TabPanel, Tabs as AriaTabs } from 'react-aria-components/Tabs';
import css from './tabs.module.css';

export interface TabItem {
  id: string;
  label: string;
  content: ReactNode;
}

export function Tabs({
  label,
  items,
  value,
  onChange,
}: {
  label: string;
  items: TabItem[];
  value?: string;
  onChange?: (id: string) => void;
}) {
  return (
    <AriaTabs
      className={css.tabs ?? ''}
      {...(value !== undefined && { selectedKey: value })}
      {...(onChange && { onSelectionChange: (key) => onChange(String(key)) })}
    >
      <TabList aria-label={label} className={css.pills ?? ''}>
        {items.map((item) => (
          <Tab key={item.id} id={item.id} className={css.pill ?? ''}>
            {item.label}
          </Tab>
        ))}
      </TabList>
      {items.map((item) => (
        <TabPanel key={item.id} id={item.id} className={css.panel ?? ''}>
          {item.content}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}

export const TabLinks = ({ label, children }: { label: string; children: ReactNode }) => (
  <nav aria-label={label} className={css.bar}>
    {children}
  </nav>
);

interface TabAnchorProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  count?: number | undefined;
  current: boolean;
}

const TabAnchor = forwardRef<HTMLAnchorElement, TabAnchorProps>(function TabAnchor({ count, current, children, ...rest }, ref) {
  return (
    <a
      {...rest}
      ref={ref}
      className={css.tab}
      aria-current={current ? 'page' : undefined}
      {...(current && { 'data-selected': '' })}
    >
      {children}
      {count !== undefined && <span className={css.count}>{count}</span>}
    </a>
  );
});

const RoutedTab = createLink(TabAnchor);

export const TabLink: LinkComponent<typeof TabAnchor> = (props) => <RoutedTab {...props} />;
