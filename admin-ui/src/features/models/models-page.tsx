/* The gallery: every model that this workspace may call. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Boxes } from 'lucide-react';
import { useMemo } from 'react';
import { aiProviders } from '~/api/queries';
import type { ModelType } from '~/api/types';
import { useSession } from '~/auth/session';
import { WorkspaceGate } from '~/app/workspace-gate';
import { count, month, perMillion, short } from '~/lib/format';
import { Badge } from '~/ui/badge';
import { ButtonLink } from '~/ui/button';
import { Select, type Option } from '~/ui/choice';
import { SearchField } from '~/ui/field';
import { Mark } from '~/ui/mark';
import { Page, Toolbar } from '~/ui/page';
import { Await, NothingFound, SkeletonRows, State } from '~/ui/states';
import { Lines, rowLink, Table, WithMark, type Column } from '~/ui/table';
import { CAPABILITIES, CONTEXTS, filtered, occurring, PRICES, readSort, TYPES, writeSort, type ModelSearch } from './filters';
import { useModels, type ModelView } from './model-data';
import css from './models.module.css';

const route = getRouteApi('/inside/w/$workspace/models/');

/* Told in the list; the rest is on the model's page. */
const SHOWN_CAPABILITIES = ['vision', 'function_calling', 'reasoning', 'structured_output', 'audio_input', 'image_output'];
const SHOWN_MAX = 2;

const Unknown = () => <span className={css.unknown}>—</span>;

function Capabilities({ model }: { model: ModelView }) {
  const known = SHOWN_CAPABILITIES.filter((one) => model.known?.capabilities?.includes(one)).map(
    (one) => CAPABILITIES[one] ?? one,
  );
  const more = known.slice(SHOWN_MAX);
  return (
    <span className={css.badges}>
      {known.slice(0, SHOWN_MAX).map((one) => (
        <Badge key={one}>{one}</Badge>
      ))}
      {more.length > 0 && (
        <span className={css.unknown} title={more.join(', ')}>
          +{more.length}
        </span>
      )}
    </span>
  );
}

function columnsOf(workspace: string, kindName: (kind: string) => string): Column<ModelView>[] {
  const price = (model: ModelView, unit: string) => {
    const picousd = model.known?.prices_picousd?.[unit];
    return picousd === undefined ? <Unknown /> : picousd === 0 ? 'free' : perMillion(picousd);
  };
  return [
    {
      id: 'model',
      head: 'Model',
      width: 'minmax(210px, 2.2fr)',
      sortable: true,
      cell: (model) => (
        <WithMark mark={<Mark name={kindName(model.kind)} />}>
          <Lines
            first={
              <Link to="/w/$workspace/models/$" params={{ workspace, _splat: model.id }} className={rowLink}>
                {model.name}
              </Link>
            }
            second={model.id}
          />
        </WithMark>
      ),
    },
    {
      id: 'type',
      head: 'Type',
      width: '92px',
      cell: (model) => (model.known?.type ? TYPES[model.known.type] : <Unknown />),
      spare: true,
    },
    {
      id: 'can',
      head: 'Capabilities',
      width: 'minmax(120px, 1.2fr)',
      cell: (model) => <Capabilities model={model} />,
      spare: true,
    },
    {
      id: 'context',
      head: 'Context',
      width: '76px',
      end: true,
      sortable: true,
      cell: (model) =>
        model.known?.limits?.context_window_tokens ? short(model.known.limits.context_window_tokens) : <Unknown />,
      spare: true,
    },
    {
      id: 'input',
      head: 'In / 1M',
      width: '84px',
      end: true,
      sortable: true,
      cell: (model) => price(model, 'input_token'),
      spare: true,
    },
    {
      id: 'output',
      head: 'Out / 1M',
      width: '84px',
      end: true,
      sortable: true,
      cell: (model) => price(model, 'output_token'),
      spare: true,
    },
    {
      id: 'released',
      head: 'Released',
      width: '86px',
      end: true,
      sortable: true,
      cell: (model) => (model.known?.release_date === undefined ? <Unknown /> : month(model.known.release_date)),
      spare: true,
    },
  ];
}

const ANY: Option = { id: 'any', label: 'Any' };

const optionsOf = (found: Map<string, number>, label: (id: string) => string): Option[] => [
  ANY,
  ...[...found].sort((a, b) => b[1] - a[1]).map(([id, times]) => ({ id, label: label(id), count: times })),
];

function Filters({ rows, search, set }: { rows: ModelView[]; search: ModelSearch; set: (change: ModelSearch) => void }) {
  const options = useMemo(
    () => ({
      providers: optionsOf(
        occurring(rows, (one) => [one.provider]),
        (id) => `@${id}`,
      ),
      types: optionsOf(
        occurring(rows, (one) => [one.known?.type ?? 'unknown']),
        (id) => (id in TYPES ? TYPES[id as ModelType] : 'Unknown'),
      ),
      can: optionsOf(
        occurring(rows, (one) => one.known?.capabilities ?? []),
        (id) => CAPABILITIES[id] ?? id,
      ),
    }),
    [rows],
  );
  const pick = (name: keyof ModelSearch) => (value: string) => set({ [name]: value === 'any' ? '' : value });
  return (
    <Toolbar>
      <SearchField label="Search models" value={search.q ?? ''} onChange={(q) => set({ q })} main />
      <Select label="Provider" bare value={search.provider ?? 'any'} options={options.providers} onChange={pick('provider')} />
      <Select label="Type" bare value={search.type ?? 'any'} options={options.types} onChange={pick('type')} />
      <Select label="Can" bare value={search.can ?? 'any'} options={options.can} onChange={pick('can')} />
      <Select label="Context" bare value={search.context ?? 'any'} options={CONTEXTS} onChange={pick('context')} />
      <Select label="Input price" bare value={search.price ?? 'any'} options={PRICES} onChange={pick('price')} />
    </Toolbar>
  );
}

function Gallery({ workspace }: { workspace: { id: string; slug: string } }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const session = useSession();
  const { list, rows, loading } = useModels(workspace.id);
  const kinds = useQuery(aiProviders);
  const shown = useMemo(() => filtered(rows, search), [rows, search]);
  const columns = useMemo(
    () => columnsOf(workspace.slug, (kind) => kinds.data?.find((one) => one.id === kind)?.name ?? kind),
    [workspace.slug, kinds.data],
  );
  const set = (change: ModelSearch) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  return (
    <Page
      title="Models"
      mark={
        rows.length > 0 && (
          <Badge>{shown.length === rows.length ? count(rows.length) : `${count(shown.length)} of ${count(rows.length)}`}</Badge>
        )
      }
      about="Everything this workspace may call. A model is called by one string, @provider/model, with one key."
    >
      <Await queries={[list]} skeleton={<SkeletonRows rows={10} height={45} />}>
        {() =>
          rows.length === 0 ? (
            <State
              icon={Boxes}
              title="No model is available here yet"
              actions={
                session.admin && (
                  <ButtonLink to="/integrations" look="primary">
                    Connect a provider
                  </ButtonLink>
                )
              }
            >
              Models appear as soon as an administrator gives this workspace an integration.
            </State>
          ) : loading ? (
            <SkeletonRows rows={10} height={45} />
          ) : (
            <>
              <Filters rows={rows} search={search} set={set} />
              {shown.length === 0 ? (
                <NothingFound what="models" onClear={() => void navigate({ search: {}, replace: true })} />
              ) : (
                <Table
                  label="Models"
                  columns={columns}
                  rows={shown}
                  keyOf={(model) => model.id}
                  sort={readSort(search.sort)}
                  onSort={(sort) => set({ sort: writeSort(sort) })}
                />
              )}
            </>
          )
        }
      </Await>
    </Page>
  );
}

export const ModelsPage = () => (
  <WorkspaceGate>{(workspace) => <Gallery key={workspace.slug} workspace={workspace} />}</WorkspaceGate>
);
