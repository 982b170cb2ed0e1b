/* What the gallery shows: filters and order, as the address says them. */
import type { ModelType } from '~/api/types';
import type { Option } from '~/ui/choice';
import type { Sort } from '~/ui/table';
import type { ModelView } from './model-data';

export interface ModelSearch {
  q?: string;
  provider?: string;
  type?: string;
  can?: string;
  context?: string;
  price?: string;
  sort?: string;
}

export const CAPABILITIES: Record<string, string> = {
  function_calling: 'Tools',
  vision: 'Vision',
  reasoning: 'Reasoning',
  structured_output: 'Structured',
  json_mode: 'JSON mode',
  pdf_input: 'PDF',
  audio_input: 'Audio in',
  audio_output: 'Audio out',
  video_input: 'Video in',
  image_output: 'Image out',
  streaming: 'Streaming',
  temperature: 'Temperature',
};

export const TYPES: Record<ModelType, string> = {
  chat: 'Chat',
  completion: 'Completion',
  embedding: 'Embedding',
  image: 'Image',
  audio: 'Audio',
  realtime: 'Realtime',
  video: 'Video',
  rerank: 'Rerank',
  moderation: 'Moderation',
  ocr: 'OCR',
};

export const CONTEXTS: Option[] = [
  { id: 'any', label: 'Any' },
  { id: '32000', label: '32K or more' },
  { id: '128000', label: '128K or more' },
  { id: '200000', label: '200K or more' },
  { id: '1000000', label: '1M or more' },
];

/** Input price at most, in pico-USD per token: as many dollars per million tokens, a million times over. */
export const PRICES: Option[] = [
  { id: 'any', label: 'Any' },
  { id: '0', label: 'Free' },
  { id: '500000', label: 'up to $0.50' },
  { id: '1000000', label: 'up to $1' },
  { id: '3000000', label: 'up to $3' },
  { id: '10000000', label: 'up to $10' },
];

const inputPrice = (model: ModelView): number | undefined => model.known?.prices_picousd?.input_token;

function fits(model: ModelView, search: ModelSearch, words: readonly string[]): boolean {
  const text = `${model.id} ${model.name} ${model.kind} ${model.known?.family ?? ''}`.toLowerCase();
  if (!words.every((word) => text.includes(word))) return false;
  if (search.provider !== undefined && model.provider !== search.provider) return false;
  if (search.type !== undefined && (model.known?.type ?? 'unknown') !== search.type) return false;
  if (search.can !== undefined && model.known?.capabilities?.includes(search.can) !== true) return false;
  if (search.context !== undefined && (model.known?.limits?.context_window_tokens ?? 0) < Number(search.context)) return false;
  return search.price === undefined || (inputPrice(model) ?? Infinity) <= Number(search.price);
}

type Order = (model: ModelView) => number | undefined;

const ORDERS: Record<string, Order> = {
  context: (model) => model.known?.limits?.context_window_tokens,
  input: inputPrice,
  output: (model) => model.known?.prices_picousd?.output_token,
  released: (model) => (model.known?.release_date === undefined ? undefined : Date.parse(model.known.release_date)),
};

/* Newest first: what is looked for is seldom what is old. */
const FIRST: Sort = { by: 'released', down: true };

/** "input" or "-input": falling. */
export const readSort = (text: string | undefined): Sort =>
  text === undefined ? FIRST : { by: text.replace(/^-/, ''), down: text.startsWith('-') };
export const writeSort = ({ by, down }: Sort): string =>
  by === FIRST.by && down === FIRST.down ? '' : `${down ? '-' : ''}${by}`;

function compare(a: ModelView, b: ModelView, sort: Sort): number {
  const order = ORDERS[sort.by];
  const way = sort.down ? -1 : 1;
  if (order === undefined) return way * a.id.localeCompare(b.id);
  const [x, y] = [order(a), order(b)];
  // What is unknown comes last, whichever way.
  if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined) || a.id.localeCompare(b.id);
  return way * (x - y) || a.id.localeCompare(b.id);
}

export function filtered(models: readonly ModelView[], search: ModelSearch): ModelView[] {
  const words = (search.q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const sort = readSort(search.sort);
  return models.filter((model) => fits(model, search, words)).sort((a, b) => compare(a, b, sort));
}

/** The values that occur, with how often: what a filter offers. */
export function occurring(models: readonly ModelView[], valuesOf: (model: ModelView) => readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const model of models) for (const value of valuesOf(model)) found.set(value, (found.get(value) ?? 0) + 1);
  return found;
}
