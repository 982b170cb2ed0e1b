/* Splits code into words of the language, texts, numbers and remarks. A reader's aid: it never changes a character, and what it does
 * not know stays plain. */
export type Language = 'bash' | 'python' | 'javascript' | 'json' | 'env' | 'text';
export type PieceKind = 'plain' | 'word' | 'text' | 'number' | 'note';

export interface Piece {
  kind: PieceKind;
  text: string;
}

const WORDS: Record<Language, readonly string[]> = {
  bash: ['export', 'curl', 'if', 'then', 'fi', 'for', 'do', 'done', 'claude', 'pip', 'npm', 'install'],
  python: [
    'from',
    'import',
    'for',
    'in',
    'if',
    'with',
    'as',
    'def',
    'return',
    'None',
    'True',
    'False',
    'print',
    'open',
    'async',
    'await',
  ],
  javascript: [
    'import',
    'from',
    'const',
    'let',
    'await',
    'async',
    'for',
    'of',
    'new',
    'if',
    'return',
    'true',
    'false',
    'null',
    'function',
  ],
  json: ['true', 'false', 'null'],
  env: ['export'],
  text: [],
};

const NOTE: Record<Language, string> = {
  bash: '#[^\\n]*',
  python: '#[^\\n]*',
  env: '#[^\\n]*',
  javascript: '\\/\\/[^\\n]*',
  json: '',
  text: '',
};

const rules = new Map<Language, RegExp>();

function ruleOf(language: Language): RegExp {
  const known = rules.get(language);
  if (known) return known;
  const note = NOTE[language];
  const made = new RegExp(
    [
      note === '' ? '(?<note>$^)' : `(?<note>(?<=^|\\s)${note})`,
      `(?<text>"(?:\\\\.|[^"\\\\\\n])*"|'(?:\\\\.|[^'\\\\${language === 'bash' ? '' : '\\n'}])*'|\`[^\`]*\`)`,
      '(?<number>(?<![\\w.@/:-])\\d+(?:\\.\\d+)?(?![\\w.-]))',
      WORDS[language].length === 0 ? '(?<word>$^)' : `(?<word>(?<![\\w.@/-])(?:${WORDS[language].join('|')})(?![\\w-]))`,
    ].join('|'),
    'gm',
  );
  rules.set(language, made);
  return made;
}

export function highlight(code: string, language: Language): Piece[] {
  if (language === 'text') return [{ kind: 'plain', text: code }];
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of code.matchAll(ruleOf(language))) {
    if (match[0] === '') continue;
    if (match.index > at) pieces.push({ kind: 'plain', text: code.slice(at, match.index) });
    const found = Object.entries(match.groups ?? {}).find(([, text]) => text === match[0]);
    pieces.push({ kind: (found?.[0] ?? 'plain') as PieceKind, text: match[0] });
    at = match.index + match[0].length;
  }
  if (at < code.length) pieces.push({ kind: 'plain', text: code.slice(at) });
  return pieces;
}
