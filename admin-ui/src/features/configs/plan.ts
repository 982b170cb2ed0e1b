/* What a routing document says, as a tree to be drawn: levels with a strategy, their targets, and how each is reached. It reads what
 * it knows and passes over the rest; the API decides whether the document is right. */
import { plural } from '~/lib/format';

export interface PlanNode {
  title: string;
  /** How a request gets here from the level above. */
  reached?: string;
  /** How this level chooses among its targets. */
  mode?: string;
  notes: string[];
  targets: PlanNode[];
}

type Doc = Record<string, unknown>;

const isDoc = (value: unknown): value is Doc => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** "retryAttempts" and "retry_attempts" are the same key. */
function member(doc: Doc, name: string): unknown {
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return doc[name] ?? doc[camel];
}

const OPERATORS: Record<string, string> = {
  $eq: '=',
  $ne: '≠',
  $gt: '>',
  $gte: '≥',
  $lt: '<',
  $lte: '≤',
  $in: 'is one of',
  $nin: 'is none of',
  $regex: 'matches',
};

const literal = (value: unknown): string => JSON.stringify(value);

function queryOf(key: string, value: unknown): string {
  if ((key === '$and' || key === '$or') && Array.isArray(value)) {
    const parts = value.map((part) => (isDoc(part) ? queryWords(part) : literal(part)));
    return parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(key === '$and' ? ' and ' : ' or ')})`;
  }
  if (!isDoc(value)) return `${key} = ${literal(value)}`;
  return Object.entries(value)
    .map(([operator, operand]) => `${key} ${OPERATORS[operator] ?? operator} ${literal(operand)}`)
    .join(' and ');
}

/** A condition's query as a sentence. */
export const queryWords = (query: Doc): string =>
  Object.keys(query).length === 0
    ? 'always'
    : Object.entries(query)
        .map(([key, value]) => queryOf(key, value))
        .join(' and ');

function notesOf(doc: Doc): string[] {
  const notes: string[] = [];
  const retry = member(doc, 'retry');
  const cache = member(doc, 'cache');
  const timeout = member(doc, 'request_timeout');
  const host = member(doc, 'custom_host');
  if (isDoc(retry) && typeof retry.attempts === 'number') notes.push(`tries again up to ${plural(retry.attempts, 'time')}`);
  if (isDoc(cache)) notes.push(`cache: ${isText(cache.mode) ? cache.mode : 'on'}`);
  else if (isText(cache)) notes.push(`cache: ${cache}`);
  if (typeof timeout === 'number') notes.push(`at most ${timeout} ms`);
  if (isText(host)) notes.push(`at ${host}`);
  return notes;
}

function titleOf(doc: Doc, otherwise: string): string {
  const override = member(doc, 'override_params');
  const model = isDoc(override) && isText(override.model) ? override.model : undefined;
  const provider = member(doc, 'provider') ?? member(doc, 'virtual_key');
  const called = isText(doc.name) ? `${doc.name}: ` : '';
  if (model?.startsWith('@') === true) return called + model;
  if (isText(provider)) return called + [provider, model].filter(Boolean).join(' / ');
  return model === undefined ? (isText(doc.name) ? doc.name : otherwise) : called + model;
}

const weightOf = (doc: unknown): number => {
  const weight = isDoc(doc) ? doc.weight : undefined;
  return typeof weight === 'number' ? weight : 1;
};

const percent = (part: number, whole: number): string => (whole <= 0 ? 'never' : `${Math.round((part / whole) * 1000) / 10} %`);

/** "if metadata.tier = "gold"" of each target's name, and which one is the default. */
function reasons(strategy: Doc): Map<string, string> {
  const found = new Map<string, string[]>();
  const add = (name: unknown, why: string) => {
    if (isText(name)) found.set(name, [...(found.get(name) ?? []), why]);
  };
  for (const condition of list(strategy.conditions))
    if (isDoc(condition)) add(condition.then, `if ${isDoc(condition.query) ? queryWords(condition.query) : '…'}`);
  add(strategy.default, 'otherwise');
  return new Map([...found].map(([name, why]) => [name, why.join(', ')]));
}

const MODES: Record<string, string> = {
  single: 'Only the first',
  fallback: 'One after the other, until one answers',
  loadbalance: 'Shared out by weight',
  conditional: 'By conditions',
};

function reachedBy(mode: string, strategy: Doc, targets: unknown[]): (target: unknown, index: number) => string {
  const whole = targets.reduce<number>((sum, target) => sum + weightOf(target), 0);
  const why = reasons(strategy);
  const codes = list(member(strategy, 'on_status_codes'));
  return (target, index) => {
    if (mode === 'loadbalance') return percent(weightOf(target), whole);
    if (mode === 'conditional') return (isDoc(target) && isText(target.name) ? why.get(target.name) : undefined) ?? 'never';
    if (index === 0) return 'first';
    if (mode !== 'fallback') return 'never';
    return codes.length === 0 ? 'if that fails' : `if that answers ${codes.join(', ')}`;
  };
}

function nodeOf(value: unknown, otherwise: string, reached?: string): PlanNode {
  const doc = isDoc(value) ? value : {};
  const targets = list(member(doc, 'targets'));
  const strategy = isDoc(doc.strategy) ? doc.strategy : {};
  const mode = isText(strategy.mode) ? strategy.mode : 'single';
  const way = reachedBy(mode, strategy, targets);
  return {
    title: titleOf(doc, otherwise),
    ...(reached !== undefined && { reached }),
    ...(targets.length > 0 && { mode: MODES[mode] ?? mode }),
    notes: notesOf(doc),
    targets: targets.map((target, i) => nodeOf(target, `Target ${i + 1}`, way(target, i))),
  };
}

/** The drawing of a document's text; undefined: it is no JSON object. */
export function planOf(text: string): PlanNode | undefined {
  try {
    const doc: unknown = JSON.parse(text);
    return isDoc(doc) ? nodeOf(doc, 'A request') : undefined;
  } catch {
    return undefined;
  }
}
