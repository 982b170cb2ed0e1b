/* The drawing of a config: each level, how it chooses, and its targets below it. */
import { Badge } from '~/ui/badge';
import css from './configs.module.css';
import type { PlanNode } from './plan';

export const PlanView = ({ node }: { node: PlanNode }) => (
  <div className={css.node}>
    <div className={css.box}>
      {node.reached !== undefined && <Badge tone={node.reached === 'never' ? 'quiet' : 'accent'}>{node.reached}</Badge>}
      <code className={css.title}>{node.title}</code>
      {node.mode !== undefined && <span className={css.mode}>{node.mode}</span>}
      {node.notes.map((note) => (
        <span key={note} className={css.note}>
          {note}
        </span>
      ))}
    </div>
    {node.targets.length > 0 && (
      <ul className={css.targets}>
        {node.targets.map((target, i) => (
          <li key={i}>
            <PlanView node={target} />
          </li>
        ))}
      </ul>
    )}
  </div>
);
