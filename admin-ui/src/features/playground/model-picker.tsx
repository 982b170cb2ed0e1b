/* Which model joins the playground. */
import { useState } from 'react';
import { ListBox, ListBoxItem } from 'react-aria-components/ListBox';
import { rank } from '~/lib/rank';
import type { ModelView } from '~/features/models/model-data';
import choice from '~/ui/choice.module.css';
import { Dialog } from '~/ui/dialog';
import { SearchField } from '~/ui/field';
import css from './playground.module.css';

const SHOWN_MAX = 100;

interface ModelPickerProps {
  models: ModelView[];
  chosen: string[];
  onPick: (id: string) => void;
  onClose: () => void;
}

export function ModelPicker({ models, chosen, onPick, onClose }: ModelPickerProps) {
  const [text, setText] = useState('');
  const left = models.filter((model) => !chosen.includes(model.id));
  const found = (
    text.trim() === ''
      ? left
      : rank(
          left,
          text,
          (one) => one.id,
          (one) => one.name,
        )
  ).slice(0, SHOWN_MAX);
  return (
    <Dialog title="Add model" open onClose={onClose}>
      <div className={css.picker}>
        <SearchField label="Search models" value={text} onChange={setText} />
        <ListBox
          aria-label="Models"
          className={css.pickerList ?? ''}
          items={found}
          selectionMode="single"
          onAction={(key) => {
            onPick(String(key));
            onClose();
          }}
          onSelectionChange={(keys) => {
            const [key] = keys === 'all' ? [] : [...keys];
            if (key === undefined) return;
            onPick(String(key));
            onClose();
          }}
          renderEmptyState={() => <p className={css.waiting}>No model matches.</p>}
        >
          {(model: ModelView) => (
            <ListBoxItem id={model.id} textValue={model.id} className={choice.option ?? ''}>
              <span className={choice.optionText}>
                {model.name}
                <span className={choice.note}>{model.id}</span>
              </span>
            </ListBoxItem>
          )}
        </ListBox>
      </div>
    </Dialog>
  );
}
