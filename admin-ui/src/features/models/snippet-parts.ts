/* What snippets are made of: the target, the quoting of each language, the frame of each client. */
import type { ModelType } from '~/api/types';
import type { Language } from '~/lib/highlight';

export const KEY = 'SLUICE_API_KEY';

export interface SnippetTarget {
  /** Without "/v1" and without a slash at the end. */
  gateway: string;
  provider: string; // slug
  model: string; // behind "@provider/"
  /** Kind of provider: some speak dialects whose own SDKs can be used. */
  kind: string;
  type: ModelType | undefined;
  /** What it reads and writes, and the units it is paid by, as far as the catalog knows. */
  input: readonly string[];
  output: readonly string[];
  units: readonly string[];
}

/** How the request says what it wants. */
export type Way = 'model' | 'header' | 'config';

export interface Snippet {
  id: string;
  label: string;
  way: Way;
  language: Language;
  code: string;
  /** What has to be installed first. */
  install?: string;
}

export type Draft = Omit<Snippet, 'way'>;

export const PY_OPENAI = 'pip install openai';
export const JS_OPENAI = 'npm install openai';
export const PY_PORTKEY = 'pip install portkey-ai';
export const JS_PORTKEY = 'npm install portkey-ai';

export const base = (t: SnippetTarget): string => `${t.gateway}/v1`;
export const full = (t: SnippetTarget): string => `@${t.provider}/${t.model}`;

/* A slug may hold any visible character: what it says must stay a text in whatever it is pasted into. */

/** A text of JSON, Python and shell-quoted JSON bodies. */
export const q = (text: string): string => JSON.stringify(text);

/** A text of JavaScript, in single quotes where it is plain. */
export const s = (text: string): string => (/^[^'\\\n\r\u2028\u2029]*$/.test(text) ? `'${text}'` : JSON.stringify(text));

/** A word of a shell. */
export const sh = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`);

/** What stands between single quotes of a shell. */
export const within = (text: string): string => text.replace(/'/g, "'\\''");

export const curl = (t: SnippetTarget, path: string, body: string, headers: readonly string[] = []): string =>
  [
    `curl ${base(t)}${path} \\`,
    `  -H "Authorization: Bearer $${KEY}" \\`,
    ...headers.map((header) => `  -H ${header} \\`),
    '  -H "Content-Type: application/json" \\',
    `  -d '${within(body)}'`,
  ].join('\n');

export const pyOpenAI = (t: SnippetTarget, call: string, more = '', imports = ''): string =>
  `import os
from openai import OpenAI
${imports}
client = OpenAI(
    base_url="${base(t)}",
    api_key=os.environ["${KEY}"],${more}
)

${call}`;

export const jsOpenAI = (t: SnippetTarget, call: string, more = '', imports = ''): string =>
  `import OpenAI from 'openai';
${imports}
const client = new OpenAI({
  baseURL: '${base(t)}',
  apiKey: process.env.${KEY},${more}
});

${call}`;

export const pyPortkey = (t: SnippetTarget, call: string, more = ''): string =>
  `import os
from portkey_ai import Portkey

client = Portkey(
    base_url="${base(t)}",
    api_key=os.environ["${KEY}"],${more}
)

${call}`;

export const jsPortkey = (t: SnippetTarget, call: string, more = ''): string =>
  `import { Portkey } from 'portkey-ai';

const client = new Portkey({
  baseURL: '${base(t)}',
  apiKey: process.env.${KEY},${more}
});

${call}`;
