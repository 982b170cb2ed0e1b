/* Step three: which models the integration offers, at which price, and models of one's own. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Boxes, DollarSign, Plus, SquarePen, Trash2 } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useChange, useEagerChange } from '~/api/changes';
import { del, put, segment } from '~/api/http';
import { aiProviderModels, integrationModels } from '~/api/queries';
import type { CatalogModel, Integration, IntegrationModels } from '~/api/types';
import { count, plural, short, usd } from '~/lib/format';
import { Badge } from '~/ui/badge';
import { Button } from '~/ui/button';
import { Checkbox, Segments, Switch } from '~/ui/choice';
import { Confirm } from '~/ui/dialog';
import { SearchField } from '~/ui/field';
import { Menu, type MenuAction } from '~/ui/menu';
import { Card, Spacer, Toolbar } from '~/ui/page';
import { Await, NothingFound, State } from '~/ui/states';
import { Lines, Table, type Column } from '~/ui/table';
import { failed } from '~/ui/toast';
import { CustomModelDialog } from './custom-model-dialog';
import css from './integrations.module.css';
import {
  clearAll,
  modelRows,
  pinned,
  priceOf,
  setModels,
  setNew,
  withChange,
  type ModelRow,
  type ModelsChange,
} from './model-rules';
import { PriceDialog } from './price-dialog';

const route = getRouteApi('/inside/integrations/$integration');

const SHOW = [
  { id: 'all', label: 'All' },
  { id: 'on', label: 'Enabled' },
  { id: 'off', label: 'Off' },
  { id: 'custom', label: 'Custom' },
] as const;

function useModels(row: Integration) {
  const path = `/integrations/${segment(row.slug)}/models`;
  const list = useQuery(integrationModels(row.slug));
  const catalog = useQuery(aiProviderModels(row.ai_provider_id));
  const change = useEagerChange<ModelsChange, IntegrationModels>(
    integrationModels(row.slug).queryKey,
    (body) => put(path, body),
    withChange,
    failed,
  );
  const save = useChange((body: ModelsChange) => put(path, body), {
    touches: [['integration', row.slug], ['models']],
    done: 'Saved',
  });
  const remove = useChange((slug: string) => del(path, { slugs: slug }), {
    touches: [['integration', row.slug], ['models']],
    done: 'The model was removed',
  });
  return { list, catalog, change, save, remove };
}

function Price({ row, which }: { row: ModelRow; which: 'input' | 'output' }) {
  const price = priceOf(row, which);
  if (price === undefined) return <span className={css.quiet}>—</span>;
  return (
    <span title={price.own ? 'Your own price' : 'Price of the catalog'}>
      {price.own ? <strong>{usd(price.text)}</strong> : usd(price.text)}
    </span>
  );
}

interface RowActions {
  toggle: (row: ModelRow, enabled: boolean) => void;
  price: (row: ModelRow) => void;
  edit: (row: ModelRow) => void;
  remove: (row: ModelRow) => void;
}

function actionsOf(row: ModelRow, actions: RowActions): MenuAction[] {
  const price = { id: 'price', label: 'Set price', icon: DollarSign, onAction: () => actions.price(row) };
  if (!row.is_custom) return [price];
  return [
    { id: 'edit', label: 'Edit model', icon: SquarePen, onAction: () => actions.edit(row) },
    price,
    { id: 'remove', label: 'Remove model', icon: Trash2, bad: true, onAction: () => actions.remove(row) },
  ];
}

function columnsOf(actions: RowActions): Column<ModelRow>[] {
  return [
    {
      id: 'on',
      head: <span className="visually-hidden">Enabled</span>,
      width: '20px',
      cell: (row) => (
        <Checkbox label={`Enable ${row.slug}`} value={row.enabled} onChange={(enabled) => actions.toggle(row, enabled)} />
      ),
    },
    {
      id: 'model',
      head: 'Model',
      width: 'minmax(180px, 2fr)',
      cell: (row) => <Lines first={row.name} second={row.name === row.slug ? (row.description ?? undefined) : row.slug} />,
    },
    {
      id: 'type',
      head: 'Type',
      width: '104px',
      cell: (row) =>
        row.is_custom ? (
          <Badge tone="violet">{row.is_finetune ? 'fine-tuned' : 'custom'}</Badge>
        ) : (
          row.known?.type && <Badge>{row.known.type}</Badge>
        ),
      spare: true,
    },
    {
      id: 'context',
      head: 'Context',
      width: '70px',
      end: true,
      cell: (row) =>
        row.known?.limits?.context_window_tokens ? (
          short(row.known.limits.context_window_tokens)
        ) : (
          <span className={css.quiet}>—</span>
        ),
      spare: true,
    },
    { id: 'input', head: 'In / 1M', width: '80px', end: true, cell: (row) => <Price row={row} which="input" />, spare: true },
    { id: 'output', head: 'Out / 1M', width: '80px', end: true, cell: (row) => <Price row={row} which="output" />, spare: true },
    {
      id: 'more',
      head: <span className="visually-hidden">More</span>,
      width: '30px',
      end: true,
      cell: (row) => <Menu label={`More about ${row.slug}`} actions={actionsOf(row, actions)} />,
    },
  ];
}

const fits = (row: ModelRow, show: string): boolean =>
  show === 'custom' ? row.is_custom : show === 'all' || row.enabled === (show === 'on');

type Asking = { what: 'price' | 'edit' | 'remove'; row: ModelRow } | { what: 'add' } | undefined;

interface DialogsProps {
  asking: Asking;
  rows: ModelRow[];
  catalog: CatalogModel[];
  models: ReturnType<typeof useModels>;
  onClose: () => void;
  onAdded: () => void;
}

function Dialogs({ asking, rows, catalog, models: { save, remove }, onClose, onAdded }: DialogsProps) {
  if (asking === undefined) return null;
  if (asking.what === 'price')
    return <PriceDialog row={asking.row} onClose={onClose} onSave={(body) => save.mutateAsync(body)} />;
  if (asking.what === 'remove')
    return (
      <Confirm
        title={`Remove ${asking.row.slug}?`}
        open
        onClose={onClose}
        onConfirm={() => remove.mutate(asking.row.slug, { onSuccess: onClose })}
        action="Remove model"
        change={remove}
      >
        <p>Requests that name it are refused from then on.</p>
      </Confirm>
    );
  return (
    <CustomModelDialog
      {...(asking.what === 'edit' && { row: asking.row })}
      catalog={catalog}
      taken={rows.map((one) => one.slug)}
      onClose={onClose}
      onSave={async (body) => {
        await save.mutateAsync(body);
        if (asking.what === 'add') onAdded();
      }}
    />
  );
}

interface BarProps {
  now: IntegrationModels;
  rows: ModelRow[];
  shown: ModelRow[];
  q: string;
  show: string;
  set: (next: { q?: string; show?: string }) => void;
  send: (change: ModelsChange) => void;
  onAdd: () => void;
}

function Bar({ now, rows, shown, q, show, set, send, onAdd }: BarProps) {
  const off = shown.filter((one) => !one.enabled).map((one) => one.slug);
  return (
    <Toolbar>
      <SearchField label="Search models" value={q} onChange={(text) => set({ q: text })} main />
      <Segments
        label="Show"
        value={SHOW.find((one) => one.id === show)?.id ?? 'all'}
        options={SHOW}
        onChange={(next) => set({ show: next === 'all' ? '' : next })}
      />
      <Spacer />
      {off.length > 0 && (
        <Button small onPress={() => send(setModels(off, true))}>
          {off.length === rows.length ? 'Select all' : `Select ${count(off.length)} shown`}
        </Button>
      )}
      <Button small isDisabled={rows.every((one) => !one.enabled)} onPress={() => send(clearAll(now))}>
        Clear all
      </Button>
      <Button small icon={Plus} onPress={onAdd}>
        Add model
      </Button>
    </Toolbar>
  );
}

export function ModelsPanel({ row }: { row: Integration }) {
  const { q = '', show = 'all' } = route.useSearch();
  const navigate = route.useNavigate();
  const models = useModels(row);
  const { list, catalog, change } = models;
  const [asking, setAsking] = useState<Asking>();
  const now = list.data;
  const rows = useMemo(() => (now && catalog.data ? modelRows(now, catalog.data) : []), [now, catalog.data]);
  const wanted = q.trim().toLowerCase();
  const shown = rows.filter((one) => `${one.name} ${one.slug}`.toLowerCase().includes(wanted) && fits(one, show));
  const set = (next: { q?: string; show?: string }) => void navigate({ search: (old) => ({ ...old, ...next }), replace: true });
  const send = (next: ModelsChange) => now && change.mutate(pinned(now, next));
  const add = () => setAsking({ what: 'add' });
  const columns = columnsOf({
    toggle: (one, on) => send(setModels([one.slug], on)),
    price: (one) => setAsking({ what: 'price', row: one }),
    edit: (one) => setAsking({ what: 'edit', row: one }),
    remove: (one) => setAsking({ what: 'remove', row: one }),
  });
  return (
    <Await queries={[list, catalog]}>
      {() =>
        now && (
          <>
            <Card>
              <div className={css.newOnes}>
                <Switch
                  label="Enable new models by themselves"
                  shown
                  help="For providers with ever-changing catalogs. Otherwise a model stays off until it is chosen here."
                  value={now.allow_all_models}
                  onChange={(allow) => send(setNew(now, allow))}
                />
                <span className={css.quiet}>
                  {count(rows.filter((one) => one.enabled).length)} of {plural(rows.length, 'model')} enabled
                </span>
              </div>
            </Card>
            <Bar now={now} rows={rows} shown={shown} q={q} show={show} set={set} send={send} onAdd={add} />
            {rows.length === 0 ? (
              <State
                icon={Boxes}
                title="No models are known here"
                small
                actions={
                  <Button icon={Plus} onPress={add}>
                    Add model
                  </Button>
                }
              >
                The catalog has none for this provider. Add those that your account or your server has.
              </State>
            ) : shown.length === 0 ? (
              <NothingFound what="models" onClear={() => set({ q: '', show: '' })} />
            ) : (
              <Table label="Models" columns={columns} rows={shown} keyOf={(one) => one.slug} />
            )}
            <Dialogs
              asking={asking}
              rows={rows}
              catalog={catalog.data ?? []}
              models={models}
              onClose={() => setAsking(undefined)}
              onAdded={() => set({ q: '', show: 'custom' })}
            />
          </>
        )
      }
    </Await>
  );
}
