import { expect, test } from 'vitest';
import type { CatalogModel } from '~/api/types';
import { filtered, occurring, readSort, writeSort } from './filters';
import { joined, splitId, type ModelView } from './model-data';
import { priceLines } from './prices';

const view = (id: string, known?: Partial<CatalogModel>): ModelView => ({
  id,
  ...splitId(id),
  kind: 'openai',
  name: known?.name ?? id,
  known: known === undefined ? undefined : { slug: id, name: id, ...known },
});

const MODELS = [
  view('@a/small', {
    type: 'chat',
    limits: { context_window_tokens: 16_000 },
    prices_picousd: { input_token: 100_000, output_token: 400_000 },
    capabilities: ['streaming'],
  }),
  view('@a/large', {
    type: 'chat',
    limits: { context_window_tokens: 200_000 },
    prices_picousd: { input_token: 3_000_000 },
    capabilities: ['vision', 'streaming'],
  }),
  view('@b/embed', { type: 'embedding', prices_picousd: { input_token: 20_000 } }),
  view('@b/org/own:1'),
];
const ids = (found: ModelView[]) => found.map((one) => one.id);

test('a model string is split at its first slash', () => {
  expect(splitId('@b/org/own:1')).toEqual({ provider: 'b', slug: 'org/own:1' });
});

test('filters', () => {
  expect(ids(filtered(MODELS, { sort: 'model' }))).toEqual(['@a/large', '@a/small', '@b/embed', '@b/org/own:1']);
  expect(ids(filtered(MODELS, { q: 'a large' }))).toEqual(['@a/large']);
  expect(ids(filtered(MODELS, { provider: 'b' }))).toEqual(['@b/embed', '@b/org/own:1']);
  expect(ids(filtered(MODELS, { type: 'chat', can: 'vision' }))).toEqual(['@a/large']);
  expect(ids(filtered(MODELS, { type: 'unknown' }))).toEqual(['@b/org/own:1']);
  expect(ids(filtered(MODELS, { context: '128000' }))).toEqual(['@a/large']);
  expect(ids(filtered(MODELS, { price: '100000' })), 'an unknown price is none to rely on').toEqual(['@a/small', '@b/embed']);
});

test('order, what is unknown last both ways', () => {
  expect(ids(filtered(MODELS, { sort: 'input' }))).toEqual(['@b/embed', '@a/small', '@a/large', '@b/org/own:1']);
  expect(ids(filtered(MODELS, { sort: '-input' }))).toEqual(['@a/large', '@a/small', '@b/embed', '@b/org/own:1']);
  const dated = [
    view('@a/old', { release_date: '2023-01-05' }),
    view('@a/undated', {}),
    view('@a/new', { release_date: '2025-03' }),
  ];
  expect(ids(filtered(dated, {})), 'newest first unless told otherwise').toEqual(['@a/new', '@a/old', '@a/undated']);
  expect(writeSort(readSort('-input'))).toBe('-input');
  expect(writeSort(readSort(undefined))).toBe('');
});

test('ten thousand models are filtered in a blink', () => {
  const many = Array.from({ length: 10_000 }, (_, i) => view(`@p${i % 50}/m-${i}`, { type: 'chat' }));
  expect(filtered(many, { q: 'p7 m-', sort: '-context' })).toHaveLength(200);
});

test('what occurs is counted', () => {
  expect([...occurring(MODELS, (one) => one.known?.capabilities ?? [])]).toEqual([
    ['streaming', 2],
    ['vision', 1],
  ]);
});

test('rows meet the catalog by slug, else by what the provider is sent', () => {
  const catalogs = new Map([['openai', new Map([['gpt-4o', { slug: 'gpt-4o', name: 'GPT-4o' }]])]]);
  const rows = ['gpt-4o', 'mine'].map((slug) => ({
    id: `@o/${slug}`,
    slug,
    canonical_slug: 'gpt-4o',
    created: 0,
    owned_by: 'openai',
  }));
  expect(joined(rows, catalogs).map((one) => one.name)).toEqual(['GPT-4o', 'GPT-4o']);
  expect(
    joined([{ id: '@x/y', slug: 'y', canonical_slug: 'y', created: 0, owned_by: 'other' }], catalogs)[0]?.known,
  ).toBeUndefined();
});

test('prices in words, per the unit people think in', () => {
  expect(
    priceLines({
      input_token: 2_500_000,
      'input_token:>200000': 5_000_000,
      'image:hd/1024x1792': 120_000_000_000,
      audio_input_second: 100_000_000,
      'output_token:tier=batch': 1_000_000,
    }),
  ).toEqual([
    { label: 'Input', note: '', price: '$2.50', per: '1M tokens' },
    { label: 'Input', note: 'prompts above 200,000', price: '$5', per: '1M tokens' },
    { label: 'Image', note: 'hd/1024x1792', price: '$0.12', per: 'image' },
    { label: 'Audio input', note: '', price: '$0.006', per: 'minute' },
    { label: 'Output', note: 'batch', price: '$1', per: '1M tokens' },
  ]);
});
