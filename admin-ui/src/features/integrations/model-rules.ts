/* Which models an integration offers. The API keeps exceptions (a row per model that was touched) and one word about all others
 * ("allow_all_models"), which is also the word about models that do not exist yet. What the page shows is the sum; a change of the
 * word must not change what is shown, so it carries the rows along that would turn with it. */
import type { CatalogModel, IntegrationModel, IntegrationModelChange, IntegrationModels, PricingConfig } from '~/api/types';
import { plain, shift } from '~/lib/decimal';

export interface ModelsChange {
  models: IntegrationModelChange[];
  allow_all_models?: boolean;
}

/** Sets these models on or off. */
export const setModels = (slugs: readonly string[], enabled: boolean): ModelsChange => ({
  models: slugs.map((slug) => ({ slug, enabled })),
});

/** Off for all there are, and for all to come. */
export const clearAll = (now: IntegrationModels): ModelsChange => ({
  models: now.models.filter((model) => model.enabled).map(({ slug }) => ({ slug, enabled: false })),
  allow_all_models: false,
});

/** Whether models to come are enabled; those that are there stay as they are. */
export const setNew = (now: IntegrationModels, allow: boolean): ModelsChange => ({
  models: now.models.filter((model) => model.enabled !== allow).map(({ slug, enabled }) => ({ slug, enabled })),
  allow_all_models: allow,
});

/** When `allow_all_models` turns, rows without an exception turn with it: every row that must not needs one first. */
export function pinned(now: IntegrationModels, change: ModelsChange): ModelsChange {
  if (change.allow_all_models === undefined || change.allow_all_models === now.allow_all_models) return change;
  const said = new Set(change.models.map((model) => model.slug));
  const kept = now.models.filter((model) => !said.has(model.slug) && model.enabled !== change.allow_all_models);
  return { ...change, models: [...change.models, ...kept.map(({ slug, enabled }) => ({ slug, enabled }))] };
}

/** The list as it will be. */
export function withChange(now: IntegrationModels, change: ModelsChange): IntegrationModels {
  const changes = new Map(change.models.map((model) => [model.slug, model]));
  const models = now.models.map((model) => ({ ...model, ...changes.get(model.slug) }));
  return { ...now, models, allow_all_models: change.allow_all_models ?? now.allow_all_models };
}

export interface ModelRow extends IntegrationModel {
  /** What the catalog knows; of a custom model: of the one it is based on. */
  known: CatalogModel | undefined;
}

export function modelRows(list: IntegrationModels, catalog: readonly CatalogModel[]): ModelRow[] {
  const known = new Map(catalog.map((model) => [model.slug, model]));
  return list.models.map((model) => ({ ...model, known: known.get(model.slug) ?? known.get(model.base_model_slug ?? '') }));
}

/* --- prices: people write US dollars per million tokens, the API takes US cents per token ------------------------------------- */

export interface PriceForm {
  input: string;
  output: string;
  cached: string;
}

const MEMBERS: [keyof PriceForm, string][] = [
  ['input', 'request_token'],
  ['output', 'response_token'],
  ['cached', 'cache_read_input_token'],
];
const TO_CENTS_PER_TOKEN = -4;

export function toPriceForm(config: PricingConfig | null | undefined): PriceForm {
  const form: PriceForm = { input: '', output: '', cached: '' };
  for (const [name, member] of MEMBERS) {
    const price = config?.pay_as_you_go?.[member]?.price;
    if (price !== undefined) form[name] = shift(String(price), -TO_CENTS_PER_TOKEN) ?? '';
  }
  return form;
}

/** null: no price of its own. Classes that the form does not show stay. */
export function toPricing(form: PriceForm, old: PricingConfig | null | undefined): PricingConfig | null {
  const plan: NonNullable<PricingConfig['pay_as_you_go']> = { ...old?.pay_as_you_go };
  for (const [name, member] of MEMBERS) {
    const price = shift(form[name], TO_CENTS_PER_TOKEN);
    if (price === undefined) Reflect.deleteProperty(plan, member);
    else plan[member] = { ...plan[member], price: Number(price) };
  }
  return Object.keys(plan).length === 0 ? null : { ...old, type: 'static', pay_as_you_go: plan };
}

export function checkPrices(form: PriceForm): Partial<Record<keyof PriceForm, string>> {
  const faults: Partial<Record<keyof PriceForm, string>> = {};
  for (const [name] of MEMBERS) {
    const text = form[name].trim();
    const value = plain(text);
    if (text !== '' && (value === undefined || value.startsWith('-'))) faults[name] = 'must be a number of 0 or more';
  }
  return faults;
}

/** What a model costs here, as US dollars per million tokens: its own price, else the catalog's. undefined: unknown. */
export function priceOf(row: ModelRow, which: 'input' | 'output'): { text: string; own: boolean } | undefined {
  const own = toPriceForm(row.pricing_config)[which];
  if (own !== '') return { text: own, own: true };
  const picousd = row.known?.prices_picousd?.[which === 'input' ? 'input_token' : 'output_token'];
  return picousd === undefined ? undefined : { text: shift(String(picousd), -6) ?? '', own: false };
}
