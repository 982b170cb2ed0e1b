/* Budgets and rate limits of one thing, in a dialog of their own. */
import { useState } from 'react';
import { messageOf } from '~/api/errors';
import type { RateLimit, UsageLimit } from '~/api/types';
import { Dialog, DialogForm } from '~/ui/dialog';
import { check, toForm, toWire, type FormErrors, type LimitsForm } from './limits';
import { LimitsFields } from './limits-fields';

export type LimitsChange = ReturnType<typeof toWire>;

interface LimitsDialogProps {
  title: string;
  usage: UsageLimit | UsageLimit[] | null;
  rates: RateLimit | RateLimit[] | null;
  usageMax?: number;
  ratesMax?: number;
  onClose: () => void;
  onSave: (change: LimitsChange) => Promise<unknown>;
}

export function LimitsDialog({ title, usage, rates, onClose, onSave, usageMax = 1, ratesMax = 1 }: LimitsDialogProps) {
  const [form, setForm] = useState<LimitsForm>(() => toForm(usage, rates));
  const [errors, setErrors] = useState<FormErrors>({});
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<string>();
  const save = async () => {
    const faults = check(form);
    setErrors(faults);
    if (Object.keys(faults).length > 0) return;
    setPending(true);
    setError(undefined);
    try {
      await onSave(toWire(form));
      onClose();
    } catch (refused) {
      setError(messageOf(refused));
    } finally {
      setPending(false);
    }
  };
  return (
    <Dialog title={title} open onClose={onClose} wide>
      <DialogForm onSubmit={() => void save()} onCancel={onClose} submit="Save limits" pending={pending} error={error}>
        <LimitsFields form={form} onChange={setForm} errors={errors} usageMax={usageMax} ratesMax={ratesMax} />
      </DialogForm>
    </Dialog>
  );
}
