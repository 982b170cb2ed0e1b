/* Where one is on a way of a few steps. */
import { Check } from 'lucide-react';
import { cx } from '~/lib/cx';
import css from './stepper.module.css';

export function Stepper({ steps, current }: { steps: string[]; current: number }) {
  return (
    <ol className={css.steps} aria-label="Steps">
      {steps.map((step, i) => (
        <li
          key={step}
          className={cx(css.step, i === current && css.now, i < current && css.past)}
          aria-current={i === current ? 'step' : undefined}
        >
          <span className={css.number} aria-hidden>
            {i < current ? <Check size={12} strokeWidth={3} /> : i + 1}
          </span>
          {step}
          {i < current && <span className="visually-hidden">(done)</span>}
        </li>
      ))}
    </ol>
  );
}
