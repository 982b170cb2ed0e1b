/* Name, credentials and facts of an integration, to be read and changed. */
import { useQuery } from '@tanstack/react-query';
import { useState, type SyntheticEvent } from 'react';
import { useChange } from '~/api/changes';
import { ApiError, messageOf } from '~/api/errors';
import { put, segment } from '~/api/http';
import { aiProvider } from '~/api/queries';
import type { AiProvider, Integration } from '~/api/types';
import { limitsWords } from '~/features/limits/limits';
import { SettingsSplit } from '~/features/limits/settings-split';
import { useFaultFocus } from '~/lib/use-fault-focus';
import { Button } from '~/ui/button';
import { TextField } from '~/ui/field';
import { Card, Section } from '~/ui/page';
import { Await, Notice } from '~/ui/states';
import { CredentialsFields } from './credentials-fields';
import css from './integrations.module.css';
import { specOf } from './specs';
import { checkValues, fieldOf, readValues, toBody, type Faults } from './values';

/** Self-hosted: it was told which dialect its server speaks. */
const isSelfHosted = (row: Integration): boolean => (row.api_dialect ?? '') !== '';

function useEdit(row: Integration, provider: AiProvider) {
  const spec = specOf(provider, isSelfHosted(row));
  const fields = [...spec.main, ...spec.advanced];
  const [name, setName] = useState(row.name);
  const [description, setDescription] = useState(row.description ?? '');
  const [values, setValues] = useState(() => readValues(fields, row));
  const [faults, setFaults] = useState<Faults>({});
  const save = useChange(
    () => put(`/integrations/${segment(row.slug)}`, { name: name.trim(), description, ...toBody(fields, values, row) }),
    { touches: [['integrations'], ['integration', row.slug]], done: 'Saved' },
  );
  const submit = () => {
    const found = checkValues(fields, values);
    if (name.trim() === '') found.name = 'is required';
    setFaults(found);
    if (Object.keys(found).length === 0) save.mutate(undefined);
  };
  const refused = save.error instanceof ApiError ? save.error : undefined;
  const at = refused?.field === undefined ? undefined : refused.field === 'name' ? 'name' : fieldOf(refused.field, fields);
  // A field that shows a mask cannot show a fault: it is told below.
  const visible = at !== undefined && values.kept[at] === undefined;
  return {
    spec,
    name,
    setName,
    description,
    setDescription,
    values,
    setValues,
    faults: { ...(visible && refused ? { [at]: refused.rule } : {}), ...faults } as Faults,
    elsewhere: save.error !== null && !visible ? messageOf(save.error) : undefined,
    submit,
    pending: save.isPending,
  };
}

function EditForm({ row, provider }: { row: Integration; provider: AiProvider }) {
  const form = useEdit(row, provider);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    form.submit();
  };
  return (
    <form ref={useFaultFocus(form.faults)} onSubmit={submit} noValidate className={css.form}>
      <Card>
        <div className={css.form}>
          <TextField label="Name" value={form.name} onChange={form.setName} error={form.faults.name} />
          <TextField label="Description" value={form.description} onChange={form.setDescription} required={false} rows={2} />
          <CredentialsFields spec={form.spec} values={form.values} onChange={form.setValues} faults={form.faults} />
          {form.elsewhere !== undefined && <Notice tone="bad">{form.elsewhere}</Notice>}
          <div className={css.foot}>
            <Button type="submit" look="primary" pending={form.pending}>
              Save
            </Button>
          </div>
        </div>
      </Card>
    </form>
  );
}

export function Overview({ row }: { row: Integration }) {
  const provider = useQuery(aiProvider(row.ai_provider_id));
  const own = row.configurations.custom_host;
  const hosts = typeof own === 'string' ? [own] : (provider.data?.hosts ?? []);
  return (
    <SettingsSplit
      row={row}
      facts={[
        ['Provider', provider.data?.name ?? row.ai_provider_id],
        ['New models', row.allow_all_models ? 'enabled as they appear' : 'stay off until chosen'],
        ['New workspaces', row.global_workspace_access.enabled ? 'get it' : 'do not get it'],
        ['Limits of all use', limitsWords(row.usage_limits, row.rate_limits) ?? 'none'],
        ...(hosts.length > 0 ? ([['Hosts', hosts.join(', ')]] as [string, string][]) : []),
      ]}
    >
      <Section title="Credentials" about="Secrets are sealed. What is shown is a mask of them.">
        <Await queries={[provider]}>
          {() => provider.data && <EditForm key={row.last_updated_at} row={row} provider={provider.data} />}
        </Await>
      </Section>
    </SettingsSplit>
  );
}
