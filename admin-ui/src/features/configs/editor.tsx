/* The document and its drawing, side by side. What the API refuses is told with its line, and one press goes there. */
import { Crosshair } from 'lucide-react';
import { useDeferredValue, useMemo, useRef } from 'react';
import { ApiError } from '~/api/errors';
import { Button } from '~/ui/button';
import { TextField } from '~/ui/field';
import { Card, Section } from '~/ui/page';
import { Notice, State } from '~/ui/states';
import css from './configs.module.css';
import { lineOf, locate } from './locate';
import { planOf } from './plan';
import { PlanView } from './plan-view';

interface EditorProps {
  text: string;
  onChange: (text: string) => void;
  /** Of the last attempt to save. */
  refusal: unknown;
  /** What was saved and has no effect. */
  warnings: readonly string[];
}

/** Whether a refusal is about the document. */
export const isOfDocument = (error: unknown): error is ApiError =>
  error instanceof ApiError && error.field !== undefined && /^config\b/.test(error.field);

export function Editor({ text, onChange, refusal, warnings }: EditorProps) {
  const box = useRef<HTMLDivElement>(null);
  const later = useDeferredValue(text);
  const plan = useMemo(() => planOf(later), [later]);
  const fault = isOfDocument(refusal) ? refusal : undefined;
  const place = fault?.field !== undefined && planOf(text) !== undefined ? locate(text, fault.field) : undefined;
  const go = () => {
    const area = box.current?.querySelector('textarea');
    if (!area || place === undefined) return;
    area.focus();
    area.setSelectionRange(...place);
  };
  return (
    <div className={css.split}>
      <div ref={box} className={css.form}>
        <TextField
          label="Document"
          value={text}
          onChange={onChange}
          rows={22}
          mono
          error={fault && `${fault.field ?? ''}: ${fault.rule}`}
          help="JSON, as the API takes it."
        />
        {place !== undefined && (
          <div>
            <Button small icon={Crosshair} onPress={go}>
              Go to line {lineOf(text, place[0])}
            </Button>
          </div>
        )}
        {warnings.length > 0 && (
          <Notice tone="warn" title="Saved. Some of it has no effect:">
            <ul className={css.warnings}>
              {warnings.map((warning) => (
                <li key={warning}>{warning}</li>
              ))}
            </ul>
          </Notice>
        )}
      </div>
      <Section title="What it says">
        {plan === undefined ? (
          <State icon={Crosshair} title="No JSON object yet" small>
            The drawing follows the document as soon as it can be read.
          </State>
        ) : (
          <Card flush>
            <div className={css.plan}>
              <PlanView node={plan} />
            </div>
          </Card>
        )}
      </Section>
    </div>
  );
}
