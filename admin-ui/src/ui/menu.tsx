/* Actions behind one button. */
import { Ellipsis, type LucideIcon } from 'lucide-react';
import type { ReactElement } from 'react';
import { Menu as AriaMenu, MenuItem, MenuTrigger } from 'react-aria-components/Menu';
import { Popover } from 'react-aria-components/Popover';
import { cx } from '~/lib/cx';
import { IconButton } from './button';
import choice from './choice.module.css';
import css from './menu.module.css';

export interface MenuAction {
  id: string;
  label: string;
  icon?: LucideIcon;
  bad?: boolean;
  disabled?: boolean;
  onAction: () => void;
}

export function Menu({ label, actions, trigger }: { label: string; actions: MenuAction[]; trigger?: ReactElement }) {
  return (
    <MenuTrigger>
      {trigger ?? <IconButton label={label} icon={Ellipsis} small />}
      <Popover className={choice.popover ?? ''} placement="bottom end" offset={4}>
        <AriaMenu className={choice.list ?? ''} aria-label={label} items={actions}>
          {(action: MenuAction) => (
            <MenuItem
              id={action.id}
              textValue={action.label}
              className={cx(choice.option, action.bad === true && css.bad)}
              onAction={action.onAction}
              isDisabled={action.disabled === true}
            >
              {action.icon && <action.icon size={14} aria-hidden />}
              {action.label}
            </MenuItem>
          )}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}
