/* Which workspaces have an integration: every workspace of the organisation beside the rows that say so. */
import type { IntegrationWorkspaces, Workspace, WorkspaceAccess, WorkspaceAccessChange } from '~/api/types';

export interface AccessRow {
  id: string; // the workspace's
  slug: string;
  name: string;
  icon: string;
  enabled: boolean;
  usage_limits: WorkspaceAccess['usage_limits'];
  rate_limits: WorkspaceAccess['rate_limits'];
  usage: WorkspaceAccess['usage'];
}

export function accessRows(all: readonly Workspace[], access: IntegrationWorkspaces): AccessRow[] {
  const rows = new Map(access.workspaces.map((row) => [row.workspace_id, row]));
  return all.map((workspace) => {
    const row = rows.get(workspace.id);
    return {
      id: workspace.id,
      slug: workspace.slug,
      name: workspace.name,
      icon: workspace.icon ?? '',
      enabled: row?.enabled ?? false,
      usage_limits: row?.usage_limits ?? null,
      rate_limits: row?.rate_limits ?? null,
      usage: row?.usage ?? [],
    };
  });
}

/** The list as it will be after the changes; a row that was not there is added. */
export function withAccess(
  access: IntegrationWorkspaces,
  changes: readonly WorkspaceAccessChange[],
  nameOf: (id: string) => string,
): IntegrationWorkspaces {
  const workspaces = [...access.workspaces];
  for (const { id, enabled, usage_limits, rate_limits } of changes) {
    const at = workspaces.findIndex((row) => row.workspace_id === id);
    const old = workspaces[at] ?? {
      id,
      workspace_id: id,
      name: nameOf(id),
      enabled: false,
      usage_limits: null,
      rate_limits: null,
      limit_status: 'active' as const,
      usage: [],
    };
    const next = {
      ...old,
      enabled,
      ...(usage_limits !== undefined && { usage_limits }),
      ...(rate_limits !== undefined && { rate_limits }),
    };
    if (at < 0) workspaces.push(next);
    else workspaces[at] = next;
  }
  return { ...access, workspaces, total: workspaces.length };
}

/** In portions that the API takes in one body. */
export function portions<T>(items: readonly T[], size: number): T[][] {
  const out: T[][] = [];
  for (let i = 0; i < items.length; i += size) out.push(items.slice(i, i + size));
  return out;
}
