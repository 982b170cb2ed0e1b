/* The models of a workspace: what it may call, and beside each what the catalog knows about it. */
import { useQueries, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { aiProviderModels, models } from '~/api/queries';
import type { CallableModel, CatalogModel } from '~/api/types';

export interface ModelView {
  id: string; // "@provider/model"
  provider: string;
  slug: string;
  /** Kind of the provider. */
  kind: string;
  name: string;
  known: CatalogModel | undefined;
}

/** "@provider/model" at the first slash; the rest may hold more of them. */
export function splitId(id: string): { provider: string; slug: string } {
  const slash = id.indexOf('/');
  return { provider: id.slice(1, slash), slug: id.slice(slash + 1) };
}

export function toView(row: CallableModel, known: CatalogModel | undefined): ModelView {
  const { provider, slug } = splitId(row.id);
  return { id: row.id, provider, slug, kind: row.owned_by, name: known?.name ?? slug, known };
}

export function joined(
  rows: readonly CallableModel[],
  catalogs: ReadonlyMap<string, ReadonlyMap<string, CatalogModel>>,
): ModelView[] {
  return rows.map((row) => {
    const catalog = catalogs.get(row.owned_by);
    return toView(row, catalog?.get(row.slug) ?? catalog?.get(row.canonical_slug));
  });
}

/** A catalog that cannot be read leaves its models without figures; the list itself must come. */
export function useModels(workspaceId: string) {
  const list = useQuery(models(workspaceId));
  const kinds = useMemo(() => [...new Set((list.data ?? []).map((row) => row.owned_by))].sort(), [list.data]);
  const catalogs = useQueries({
    queries: kinds.map((kind) => aiProviderModels(kind)),
    combine: (results) => ({
      loading: results.some((result) => result.isPending),
      maps: new Map(kinds.map((kind, i) => [kind, new Map((results[i]?.data ?? []).map((model) => [model.slug, model]))])),
    }),
  });
  const rows = useMemo(() => joined(list.data ?? [], catalogs.maps), [list.data, catalogs.maps]);
  return { list, rows, loading: list.isPending || catalogs.loading };
}
