/* A model that the catalog does not have: a fine-tune, a deployment, a server's own. */
import { useState } from 'react';
import { ApiError, messageOf } from '~/api/errors';
import type { CatalogModel, IntegrationModelChange } from '~/api/types';
import { Cards, Switch, type Option } from '~/ui/choice';
import { Dialog, DialogForm } from '~/ui/dialog';
import { Row, TextField } from '~/ui/field';
import { Suggest } from '~/ui/suggest';
import { checkPrices, toPriceForm, toPricing, type ModelRow, type ModelsChange, type PriceForm } from './model-rules';
import { PriceFields } from './price-dialog';

type Sort = 'finetune' | 'custom';

const SORTS: Option<Sort>[] = [
  { id: 'custom', label: 'Custom', note: 'a model or deployment of your own' },
  { id: 'finetune', label: 'Fine-tuned', note: 'a version of a provider’s model' },
];

interface CustomModelDialogProps {
  row?: ModelRow;
  catalog: CatalogModel[];
  taken: string[];
  onClose: () => void;
  onSave: (change: ModelsChange) => Promise<unknown>;
}

interface Form {
  slug: string;
  description: string;
  sort: Sort;
  base: string;
  upstream: string;
  priced: boolean;
  price: PriceForm;
}

const formOf = (row: ModelRow | undefined): Form => ({
  slug: row?.slug ?? '',
  description: row?.description ?? '',
  sort: row?.is_finetune === true ? 'finetune' : 'custom',
  base: row?.base_model_slug ?? '',
  upstream: row?.upstream_model ?? '',
  priced: row?.pricing_config !== null && row?.pricing_config !== undefined,
  price: toPriceForm(row?.pricing_config),
});

function changeOf(form: Form, row: ModelRow | undefined): IntegrationModelChange {
  return {
    slug: form.slug.trim(),
    enabled: row?.enabled ?? true,
    is_custom: true,
    is_finetune: form.sort === 'finetune',
    description: form.description.trim(),
    base_model_slug: form.base.trim(),
    upstream_model: form.upstream.trim(),
    pricing_config: form.priced ? toPricing(form.price, row?.pricing_config) : null,
  };
}

function check(form: Form, fresh: boolean, taken: string[]): Record<string, string> {
  const faults: Record<string, string> = {};
  const slug = form.slug.trim();
  if (slug === '') faults.slug = 'is required';
  else if (/\s/.test(slug)) faults.slug = 'must not hold spaces';
  else if (fresh && taken.includes(slug)) faults.slug = 'is there already';
  if (form.base.trim() === '') faults.base = 'is required: requests are shaped as for this model';
  return { ...faults, ...(form.priced ? checkPrices(form.price) : {}) };
}

export function CustomModelDialog({ row, catalog, taken, onClose, onSave }: CustomModelDialogProps) {
  const [form, setForm] = useState(() => formOf(row));
  const [faults, setFaults] = useState<Record<string, string>>({});
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<string>();
  const set = (change: Partial<Form>) => setForm({ ...form, ...change });
  const save = async () => {
    const found = check(form, row === undefined, taken);
    setFaults(found);
    if (Object.keys(found).length > 0) return;
    setPending(true);
    setError(undefined);
    try {
      await onSave({ models: [changeOf(form, row)] });
      onClose();
    } catch (refused) {
      if (refused instanceof ApiError && refused.field === 'models.slug') setFaults({ slug: refused.rule });
      else setError(messageOf(refused));
      setPending(false);
    }
  };
  return (
    <Dialog title={row ? `Edit ${row.slug}` : 'Add custom model'} open onClose={onClose} drawer>
      <DialogForm
        onSubmit={() => void save()}
        onCancel={onClose}
        submit={row ? 'Save model' : 'Add model'}
        pending={pending}
        error={error}
      >
        <TextField
          label="Model slug"
          value={form.slug}
          onChange={(slug) => set({ slug })}
          error={faults.slug}
          mono
          disabled={row !== undefined}
          placeholder="my-custom-model-v1"
          help="What developers will write behind the provider: @provider/my-custom-model-v1."
          autoFocus={row === undefined}
        />
        <TextField
          label="Description"
          value={form.description}
          onChange={(description) => set({ description })}
          required={false}
          rows={2}
        />
        <Cards label="Model type" value={form.sort} options={SORTS} onChange={(sort) => set({ sort })} />
        <Suggest
          label="Base model"
          value={form.base}
          onChange={(base) => set({ base })}
          options={catalog.map((model) => ({
            id: model.slug,
            label: model.slug,
            note: model.name === model.slug ? undefined : model.name,
          }))}
          error={faults.base}
          placeholder="gpt-4o"
          help="The model whose requests and answers it shares; its capabilities and limits are taken from there."
        />
        <Row>
          <TextField
            label="Name at the provider"
            value={form.upstream}
            onChange={(upstream) => set({ upstream })}
            required={false}
            mono
            placeholder={form.slug || 'ft:gpt-4o:acme::1'}
            help="If it is not the slug."
          />
        </Row>
        <Switch
          label="Custom price"
          shown
          help="US dollars per million tokens. Without a price its use is counted, but costs nothing, and a cost budget refuses it."
          value={form.priced}
          onChange={(priced) => set({ priced })}
        />
        {form.priced && <PriceFields form={form.price} onChange={(price) => set({ price })} faults={faults} row={row} />}
      </DialogForm>
    </Dialog>
  );
}
