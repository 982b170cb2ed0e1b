/* The text of a new key. This is the only time anybody sees it. */
import { Button } from '~/ui/button';
import { Code } from '~/ui/code';
import { Dialog } from '~/ui/dialog';
import { Notice } from '~/ui/states';
import css from './keys.module.css';

interface KeyShownProps {
  title: string;
  text: string;
  note?: string | undefined;
  onClose: () => void;
}

export const KeyShown = ({ title, text, note, onClose }: KeyShownProps) => (
  <Dialog title={title} open onClose={onClose}>
    <div className={`${css.shown ?? ''} ${css.dialog ?? ''}`}>
      <Notice tone="warn" title="Copy it now.">
        It is shown this one time; only its hash is kept.
      </Notice>
      <Code code={text} language="text" label="The new key" />
      {note !== undefined && <p className={css.quiet}>{note}</p>}
      <div className={css.foot}>
        <Button look="primary" onPress={onClose}>
          I have it
        </Button>
      </div>
    </div>
  </Dialog>
);
