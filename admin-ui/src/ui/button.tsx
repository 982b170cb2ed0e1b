/* Buttons: what does something. What goes somewhere is a link that may look like one (ButtonLink). */
import { createLink, type LinkComponent } from '@tanstack/react-router';
import { LoaderCircle, type LucideIcon } from 'lucide-react';
import { forwardRef, type AnchorHTMLAttributes, type ReactNode } from 'react';
import { Button as AriaButton, type ButtonProps as AriaButtonProps } from 'react-aria-components/Button';
import { cx } from '~/lib/cx';
import css from './button.module.css';
import { Hint } from './hint';

export type Look = 'primary' | 'plain' | 'ghost' | 'danger';

interface Face {
  look?: Look | undefined;
  small?: boolean | undefined;
  icon?: LucideIcon | undefined;
}

export interface ButtonProps extends Omit<AriaButtonProps, 'className' | 'style' | 'children'>, Face {
  pending?: boolean | undefined;
  children?: ReactNode;
}

export function Button({ look = 'plain', small, icon: Icon, pending = false, children, ...rest }: ButtonProps) {
  return (
    <AriaButton {...rest} isPending={pending} className={cx(css.button, css[look], small && css.small)}>
      {pending ? <LoaderCircle className={css.turning} size={14} aria-hidden /> : Icon && <Icon size={14} aria-hidden />}
      {children}
    </AriaButton>
  );
}

/** A button that shows an icon only; its label is read and shown as a hint. */
export function IconButton({
  label,
  icon: Icon,
  look = 'ghost',
  small,
  ...rest
}: Omit<ButtonProps, 'children'> & { label: string; icon: LucideIcon }) {
  return (
    <Hint text={label}>
      <AriaButton {...rest} aria-label={label} className={cx(css.button, css.square, css[look], small && css.small)}>
        <Icon size={15} aria-hidden />
      </AriaButton>
    </Hint>
  );
}

interface AnchorProps extends AnchorHTMLAttributes<HTMLAnchorElement>, Face {}

const Anchor = forwardRef<HTMLAnchorElement, AnchorProps>(function Anchor(
  { look = 'plain', small, icon: Icon, children, ...rest },
  ref,
) {
  return (
    <a {...rest} ref={ref} className={cx(css.button, css[look], small && css.small)}>
      {Icon && <Icon size={14} aria-hidden />}
      {children}
    </a>
  );
});

const Routed = createLink(Anchor);

export const ButtonLink: LinkComponent<typeof Anchor> = (props) => <Routed {...props} />;
