/* The guide: its pages are data that the build made of Markdown; this gives each piece its look. Open to everybody. */
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { createContext, Fragment, useContext, type ReactNode } from 'react';
import errors from 'virtual:errors';
import pages from 'virtual:guide';
import { consoleFacts } from '~/api/queries';
import { NotFound } from '~/app/edges';
import { Wordmark } from '~/app/wordmark';
import type { Language } from '~/lib/highlight';
import { useTitle } from '~/lib/use-title';
import { Code } from '~/ui/code';
import type { Block, Inline } from '../../../tools/guide';
import css from './guide.module.css';

const EXAMPLE = 'https://gateway.example.com';

/** Where the gateway is, as examples say it. */
const Gateway = createContext(EXAMPLE);

function Words({ all }: { all: Inline[] }) {
  return (
    <>
      {all.map((one, i) => (
        <Fragment key={i}>{wordsOf(one)}</Fragment>
      ))}
    </>
  );
}

function wordsOf(one: Inline): ReactNode {
  switch (one.kind) {
    case 'text':
      return one.text;
    case 'code':
      return <code className={css.code}>{one.text}</code>;
    case 'strong':
      return (
        <strong>
          <Words all={one.children} />
        </strong>
      );
    case 'em':
      return (
        <em>
          <Words all={one.children} />
        </em>
      );
    case 'link': {
      const [page = '', heading] = one.to.split('#');
      return (
        <Link to="/docs/$page" params={{ page }} {...(heading !== undefined && { hash: heading })} className={css.link ?? ''}>
          <Words all={one.children} />
        </Link>
      );
    }
  }
}

function Rows({ label, head, rows }: { label: string; head: ReactNode[]; rows: ReactNode[][] }) {
  return (
    // Scrolls sideways on a phone, so the keyboard must be able to get into it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={css.table} tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {head.map((cell, i) => (
              <th key={i} scope="col">
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i}>
              {row.map((cell, j) => (
                <td key={j}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Example({ language, text, label }: { language: string; text: string; label: string }) {
  const gateway = useContext(Gateway);
  return <Code code={text.replaceAll(EXAMPLE, gateway)} language={language as Language} label={label} />;
}

const errorRows = (): ReactNode[][] =>
  errors.map(({ http, code, retryable, text }) => [
    http,
    <code className={css.code} key="code">
      {code}
    </code>,
    text,
    retryable ? 'yes' : 'no',
  ]);

/** `label`: what it is a part of, for those who cannot see it. */
function blockOf(block: Block, label: string): ReactNode {
  switch (block.kind) {
    case 'heading':
      return block.level === 2 ? <h2 id={block.id}>{block.text}</h2> : <h3 id={block.id}>{block.text}</h3>;
    case 'paragraph':
      return (
        <p>
          <Words all={block.children} />
        </p>
      );
    case 'code':
      return <Example language={block.language} text={block.text} label={label} />;
    case 'list': {
      const items = block.items.map((item, i) => (
        <li key={i}>
          <Blocks all={item} within={label} />
        </li>
      ));
      return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
    }
    case 'table': {
      const cells = (row: Inline[][]) => row.map((cell, i) => <Words key={i} all={cell} />);
      return <Rows label={label} head={cells(block.head)} rows={block.rows.map(cells)} />;
    }
    case 'errors':
      return <Rows label={label} head={['HTTP', 'Code', 'Meaning', 'Try again']} rows={errorRows()} />;
  }
}

/** Each example is called by the heading above it and its place there: no two have the same name. */
function labelled(all: Block[], within: string): { block: Block; label: string }[] {
  let heading = within;
  let nth = 0;
  return all.map((block) => {
    if (block.kind === 'heading') {
      heading = block.text;
      nth = 0;
    }
    nth += 1;
    return { block, label: `${heading}, ${nth}` };
  });
}

const Blocks = ({ all, within }: { all: Block[]; within: string }) => (
  <>
    {labelled(all, within).map(({ block, label }, i) => (
      <Fragment key={i}>{blockOf(block, label)}</Fragment>
    ))}
  </>
);

export function GuidePage() {
  const { page: wanted } = useParams({ strict: false });
  const facts = useQuery({ ...consoleFacts, retry: false });
  const page = wanted === undefined ? pages[0] : pages.find(({ id }) => id === wanted);
  useTitle(page === undefined ? 'Guide' : `${page.title} · Guide`);
  return (
    <div className={css.guide}>
      <header className={css.head}>
        <Link to="/docs" className={css.home ?? ''} aria-label="Sluice guide">
          <Wordmark />
        </Link>
        <Link to="/">Open the console</Link>
      </header>
      <nav aria-label="Guide" className={css.nav}>
        {pages.map(({ id, title }) => (
          <Link
            key={id}
            to="/docs/$page"
            params={{ page: id }}
            className={css.item ?? ''}
            {...(id === page?.id && { 'aria-current': 'page' as const })}
          >
            {title}
          </Link>
        ))}
      </nav>
      <main id="main" className={css.main}>
        {page === undefined ? (
          <NotFound />
        ) : (
          <Gateway.Provider value={facts.data?.gateway_url.replace(/\/$/, '') || EXAMPLE}>
            <article className={css.article}>
              <h1>{page.title}</h1>
              <Blocks all={page.blocks} within={page.title} />
            </article>
          </Gateway.Provider>
        )}
      </main>
    </div>
  );
}
