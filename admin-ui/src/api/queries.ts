/* What can be read, with the name it is kept under. A change makes the names stale that it touches (changes.ts). */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { get, segment, type Query } from './http';
import type {
  AiProvider,
  ApiKey,
  AuditPage,
  CallableModel,
  CatalogModel,
  Config,
  ConfigSummary,
  ConsoleFacts,
  DataPlanes,
  Integration,
  IntegrationModels,
  IntegrationSummary,
  IntegrationWorkspaces,
  List,
  Member,
  Organisation,
  Provider,
  Usage,
  User,
  Workspace,
} from './types';

const PAGE = 1000; // the API's largest
const NEVER = Infinity;

/** All rows of a list, page by page. */
async function all<T>(path: string, query: Query, signal: AbortSignal): Promise<T[]> {
  const rows: T[] = [];
  for (let page = 0; ; page++) {
    const got = await get<List<T>>(path, { ...query, page_size: PAGE, ...(page > 0 && { current_page: page }) }, signal);
    rows.push(...got.data);
    if (got.data.length < PAGE || rows.length >= got.total) return rows;
  }
}

/** The part of a query that names a workspace; a workspace key has its own and need not say it. */
export const inWorkspace = (id: string): Query => (id === '' ? {} : { workspace_id: id });

export const consoleFacts = queryOptions({
  queryKey: ['console'],
  queryFn: ({ signal }) => get<ConsoleFacts>('/console', {}, signal),
  staleTime: NEVER,
});

export const organisation = queryOptions({
  queryKey: ['organisation'],
  queryFn: ({ signal }) => get<Organisation>('/admin/organisation', {}, signal),
});

/* The built-in catalog changes with the software only. */
export const aiProviders = queryOptions({
  queryKey: ['ai-providers'],
  queryFn: ({ signal }) => all<AiProvider>('/ai-providers', {}, signal),
  staleTime: NEVER,
});

export const aiProvider = (id: string) =>
  queryOptions({
    queryKey: ['ai-provider', id],
    queryFn: ({ signal }) => get<AiProvider>(`/ai-providers/${segment(id)}`, {}, signal),
    staleTime: NEVER,
  });

export const aiProviderModels = (id: string) =>
  queryOptions({
    queryKey: ['ai-provider', id, 'models'],
    queryFn: ({ signal }) => all<CatalogModel>(`/ai-providers/${segment(id)}/models`, {}, signal),
    staleTime: NEVER,
  });

export const workspaces = queryOptions({
  queryKey: ['workspaces'],
  queryFn: ({ signal }) => all<Workspace>('/admin/workspaces', {}, signal),
});

export const integrations = (workspaceId = '') =>
  queryOptions({
    queryKey: ['integrations', workspaceId],
    queryFn: ({ signal }) => all<IntegrationSummary>('/integrations', inWorkspace(workspaceId), signal),
  });

export const integration = (slug: string) =>
  queryOptions({
    queryKey: ['integration', slug],
    queryFn: ({ signal }) => get<Integration>(`/integrations/${segment(slug)}`, {}, signal),
  });

export const integrationModels = (slug: string) =>
  queryOptions({
    queryKey: ['integration', slug, 'models'],
    queryFn: ({ signal }) => get<IntegrationModels>(`/integrations/${segment(slug)}/models`, {}, signal),
  });

export const integrationWorkspaces = (slug: string) =>
  queryOptions({
    queryKey: ['integration', slug, 'workspaces'],
    queryFn: async ({ signal }) => {
      const path = `/integrations/${segment(slug)}/workspaces`;
      const got = await get<IntegrationWorkspaces>(path, { page_size: PAGE }, signal);
      for (let page = 1; got.workspaces.length < got.total; page++) {
        const more = await get<IntegrationWorkspaces>(path, { page_size: PAGE, current_page: page }, signal);
        if (more.workspaces.length === 0) break;
        got.workspaces.push(...more.workspaces);
      }
      return got;
    },
  });

export const providers = (workspaceId: string) =>
  queryOptions({
    queryKey: ['providers', workspaceId],
    queryFn: ({ signal }) => all<Provider>('/providers', inWorkspace(workspaceId), signal),
  });

export const provider = (workspaceId: string, slug: string) =>
  queryOptions({
    queryKey: ['providers', workspaceId, slug],
    queryFn: ({ signal }) => get<Provider>(`/providers/${segment(slug)}`, inWorkspace(workspaceId), signal),
  });

export const models = (workspaceId: string) =>
  queryOptions({
    queryKey: ['models', workspaceId],
    queryFn: async ({ signal }) => (await get<List<CallableModel>>('/models', inWorkspace(workspaceId), signal)).data,
  });

/** The keys of a workspace; with undefined those of the organisation. */
export const apiKeys = (workspaceId: string | undefined) =>
  queryOptions({
    queryKey: ['api-keys', workspaceId ?? null],
    queryFn: async ({ signal }) => {
      const rows = await all<ApiKey>('/api-keys', inWorkspace(workspaceId ?? ''), signal);
      return rows.filter((row) => (row.type === 'organisation-service') === (workspaceId === undefined));
    },
  });

export const apiKey = (id: string) =>
  queryOptions({
    queryKey: ['api-key', id],
    queryFn: ({ signal }) => get<ApiKey>(`/api-keys/${segment(id)}`, {}, signal),
  });

export const members = (workspaceId: string) =>
  queryOptions({
    queryKey: ['members', workspaceId],
    queryFn: ({ signal }) => all<Member>(`/admin/workspaces/${segment(workspaceId)}/users`, {}, signal),
    enabled: workspaceId !== '',
  });

export const configs = (workspaceId: string) =>
  queryOptions({
    queryKey: ['configs', workspaceId],
    queryFn: ({ signal }) => all<ConfigSummary>('/configs', inWorkspace(workspaceId), signal),
  });

export const workspace = (id: string) =>
  queryOptions({
    queryKey: ['workspaces', id],
    queryFn: ({ signal }) => get<Workspace>(`/admin/workspaces/${segment(id)}`, {}, signal),
  });

export const users = queryOptions({
  queryKey: ['users'],
  queryFn: ({ signal }) => all<User>('/admin/users', {}, signal),
});

export const config = (workspaceId: string, slug: string) =>
  queryOptions({
    queryKey: ['config', workspaceId, slug],
    queryFn: ({ signal }) => get<Config>(`/configs/${segment(slug)}`, inWorkspace(workspaceId), signal),
  });

export const configVersions = (workspaceId: string, slug: string) =>
  queryOptions({
    queryKey: ['config', workspaceId, slug, 'versions'],
    queryFn: ({ signal }) => all<Config>(`/configs/${segment(slug)}/versions`, inWorkspace(workspaceId), signal),
  });

const LIVE_MS = 2_000;
const FRESH_MS = 15_000;

/** Sums by `group`, of a workspace or, with an empty id, of all that the session sees. */
export const usage = (group: string, from: string, workspaceId: string) =>
  queryOptions({
    queryKey: ['usage', group, from, workspaceId],
    queryFn: ({ signal }) => get<Usage>('/usage', { group_by: group, from, ...inWorkspace(workspaceId) }, signal),
    refetchInterval: FRESH_MS,
  });

export const dataPlanes = queryOptions({
  queryKey: ['data-planes'],
  queryFn: ({ signal }) => get<DataPlanes>('/data-planes', { page_size: PAGE }, signal),
  refetchInterval: LIVE_MS,
});

const AUDIT_PAGE = 100;

export const auditLog = (filter: Query) =>
  infiniteQueryOptions({
    queryKey: ['audit-log', filter],
    queryFn: ({ signal, pageParam }) =>
      get<AuditPage>('/audit-logs', { ...filter, page_size: AUDIT_PAGE, current_page: pageParam }, signal),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => (last.records.length < AUDIT_PAGE ? undefined : pages.length),
  });
