/* A provider's mark: its initials on a colour that its name decides. Logos of others are theirs; these are ours. */
import { cx } from '~/lib/cx';
import { hueOf, initialsOf } from '~/lib/initials';
import css from './mark.module.css';

export function Mark({ name, large = false }: { name: string; large?: boolean }) {
  return (
    <span className={cx(css.mark, css[`hue${hueOf(name)}`], large && css.large)} aria-hidden>
      {initialsOf(name)}
    </span>
  );
}
