/* The snippets of a model: first how it is named, then in which language. The choice is remembered: who writes Python once will again. */
import { useState } from 'react';
import { Segments, type Option } from '~/ui/choice';
import { Code } from '~/ui/code';
import { CopyButton } from '~/ui/copy';
import { Tabs } from '~/ui/tabs';
import css from './models.module.css';
import type { Snippet, Way } from './snippet-parts';

const STORE = 'sluice.snippet';

const WAYS: Record<Way, Option<Way> & { about: string }> = {
  model: {
    id: 'model',
    label: 'Model string',
    about: 'Recommended: provider and model in one string, so switching is a change of one word.',
  },
  header: {
    id: 'header',
    label: 'Provider header',
    about: 'The provider is named once for the client, and models by their own names.',
  },
  config: {
    id: 'config',
    label: 'Config',
    about: 'A routing document names the target. Save it as a config, or send it in the header x-portkey-config.',
  },
};

export function SnippetTabs({ snippets }: { snippets: Snippet[] }) {
  const ways = (Object.keys(WAYS) as Way[]).filter((way) => snippets.some((one) => one.way === way));
  const [way, setWay] = useState<Way>('model');
  const [language, setLanguage] = useState(() => localStorage.getItem(STORE) ?? '');
  const shown = snippets.filter((one) => one.way === way);
  const current = shown.find((one) => one.id === language) ?? shown[0];
  const pick = (id: string) => {
    setLanguage(id);
    localStorage.setItem(STORE, id);
  };
  return (
    <div className={css.snippets}>
      {ways.length > 1 && (
        <>
          <div>
            <Segments label="How the model is named" value={way} options={ways.map((one) => WAYS[one])} onChange={setWay} />
          </div>
          <p className={css.about}>{WAYS[way].about}</p>
        </>
      )}
      <Tabs
        key={way}
        label="Language"
        value={current?.id ?? ''}
        onChange={pick}
        items={shown.map((one) => ({
          id: one.id,
          label: one.label,
          content: (
            <>
              {one.install !== undefined && (
                <div className={css.install}>
                  <code>{one.install}</code>
                  <CopyButton text={one.install} label="Copy install command" />
                </div>
              )}
              <Code code={one.code} language={one.language} label={`${one.label} snippet`} />
            </>
          ),
        }))}
      />
    </div>
  );
}
