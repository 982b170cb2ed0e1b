/* What a model costs in this integration, if that is not what the catalog says. */
import { useState } from 'react';
import { messageOf } from '~/api/errors';
import { shift } from '~/lib/decimal';
import { Dialog, DialogForm } from '~/ui/dialog';
import { Row, TextField } from '~/ui/field';
import { Notice } from '~/ui/states';
import { checkPrices, toPriceForm, toPricing, type ModelRow, type ModelsChange, type PriceForm } from './model-rules';

export function PriceFields({
  form,
  onChange,
  faults,
  row,
}: {
  form: PriceForm;
  onChange: (form: PriceForm) => void;
  faults: Partial<PriceForm>;
  row?: ModelRow | undefined;
}) {
  const known = (unit: string) => {
    const picousd = row?.known?.prices_picousd?.[unit];
    return picousd === undefined ? '' : (shift(String(picousd), -6) ?? '');
  };
  const field = (name: keyof PriceForm, label: string, unit: string) => (
    <TextField
      label={label}
      value={form[name]}
      onChange={(text) => onChange({ ...form, [name]: text })}
      before="$"
      numeric
      placeholder={known(unit)}
      error={faults[name]}
    />
  );
  return (
    <Row tight>
      {field('input', 'Input', 'input_token')}
      {field('output', 'Output', 'output_token')}
      {field('cached', 'Cached input', 'cache_read_token')}
    </Row>
  );
}

export function PriceDialog({
  row,
  onClose,
  onSave,
}: {
  row: ModelRow;
  onClose: () => void;
  onSave: (change: ModelsChange) => Promise<unknown>;
}) {
  const [form, setForm] = useState(() => toPriceForm(row.pricing_config));
  const [faults, setFaults] = useState<Partial<PriceForm>>({});
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<string>();
  const save = async () => {
    const found = checkPrices(form);
    setFaults(found);
    if (Object.keys(found).length > 0) return;
    setPending(true);
    try {
      await onSave({ models: [{ slug: row.slug, enabled: row.enabled, pricing_config: toPricing(form, row.pricing_config) }] });
      onClose();
    } catch (refused) {
      setError(messageOf(refused));
      setPending(false);
    }
  };
  return (
    <Dialog title={`Price of ${row.slug}`} open onClose={onClose}>
      <DialogForm onSubmit={() => void save()} onCancel={onClose} submit="Save price" pending={pending} error={error}>
        <p>US dollars per million tokens. Empty fields fall back to the catalog.</p>
        <PriceFields form={form} onChange={setForm} faults={faults} row={row} />
        <Notice>It holds for requests from now on; what is in the ledger keeps the price it was made at.</Notice>
      </DialogForm>
    </Dialog>
  );
}
