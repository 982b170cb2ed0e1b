/* The wire shapes of the admin API that the console reads and writes. A member that may be absent is optional; times are RFC 3339. */

export interface List<T> {
  object: 'list';
  data: T[];
  total: number;
}

export interface Organisation {
  id: string;
  slug: string;
  name: string;
  time_zone?: string;
  workspace_integrations: 'off' | 'admins' | 'admins_and_managers';
  default_limit_mode: 'standard' | 'strict';
}

export interface UsageLimit {
  type?: 'cost' | 'tokens' | 'requests';
  credit_limit?: number;
  alert_threshold?: number;
  periodic_reset?: 'monthly' | 'weekly' | null;
  periodic_reset_days?: number | null;
  next_usage_reset_at?: string | null;
  mode?: 'standard' | 'strict';
}

export interface RateLimit {
  type: 'requests' | 'tokens' | 'concurrency';
  unit?: 'rps' | 'rpm' | 'rph' | 'rpd' | 'rpw';
  value: number;
}

/** What was used of one limit, as gateways have told it so far: of cost US dollars, else whole. */
export interface LimitUsage {
  type: 'cost' | 'tokens' | 'requests' | 'concurrency';
  /** Of a rate; a budget has none. */
  unit?: RateLimit['unit'];
  limit: number;
  used: number;
  /** Held for requests that are under way. */
  outstanding: number;
  remaining: number;
  status: 'active' | 'exhausted';
  mode: 'standard' | 'strict';
  alerted?: boolean;
  started_at?: string | null;
  next_reset_at?: string | null;
  last_reset_at?: string | null;
}

/** What every entity with limits tells of them, in the order of their definitions. */
export interface Limited {
  limit_status: 'active' | 'exhausted';
  usage: LimitUsage[];
}

export interface Workspace extends Limited {
  id: string;
  slug: string;
  name: string;
  icon?: string | null;
  description?: string | null;
  status: string;
  is_default: number;
  usage_limits: UsageLimit[] | null;
  rate_limits: RateLimit[] | null;
  defaults: { config_id?: string | null; metadata?: Record<string, string> } | null;
  workspace_integrations: Organisation['workspace_integrations'] | null;
  default_limit_mode: Organisation['default_limit_mode'] | null;
  created_at: string;
  last_updated_at: string;
}

/** A row of the built-in catalog: how a provider is reached. */
export interface AiProvider {
  id: string;
  name: string;
  dialect: string;
  base_url: string;
  auth: { scheme: string; header?: string; prefix?: string; optional?: boolean };
  placeholders?: string[];
  hosts?: string[];
  env?: string[];
  docs_url?: string;
  notes?: string;
  status?: string;
  operations: string[];
  model_count: number;
}

export type ModelType =
  | 'chat'
  | 'completion'
  | 'embedding'
  | 'image'
  | 'audio'
  | 'realtime'
  | 'video'
  | 'rerank'
  | 'moderation'
  | 'ocr';

export interface CatalogModel {
  slug: string;
  name: string;
  type?: ModelType;
  limits?: { context_window_tokens?: number; max_input_tokens?: number; max_output_tokens?: number };
  input?: string[];
  output?: string[];
  capabilities?: string[];
  not_capabilities?: string[];
  status?: string;
  family?: string;
  knowledge_cutoff?: string;
  release_date?: string;
  prices_picousd?: Record<string, number>;
}

export interface IntegrationSummary extends Limited {
  id: string;
  slug: string;
  name: string;
  ai_provider_id: string;
  description?: string | null;
  status: string;
  type: 'organisation' | 'workspace';
  workspace_id: string | null;
  usage_limits: UsageLimit[] | null;
  rate_limits: RateLimit[] | null;
  passthrough?: boolean;
  api_dialect?: string | null;
  created_at: string;
  last_updated_at: string;
}

export interface GlobalAccess {
  enabled: boolean;
  usage_limits: UsageLimit[] | null;
  rate_limits: RateLimit[] | null;
}

export interface Integration extends IntegrationSummary {
  masked_key: string | null;
  configurations: Record<string, unknown>;
  allow_all_models: boolean;
  workspace_count: number;
  global_workspace_access: GlobalAccess;
  secret_mappings: unknown[];
  pricing_adjustments: { multiplier?: Record<string, number> } | null;
}

export interface PricingConfig {
  type?: 'static';
  pay_as_you_go?: Record<string, { price?: number } | null>;
  [more: string]: unknown;
}

export interface IntegrationModel {
  slug: string;
  name: string;
  enabled: boolean;
  is_custom: boolean;
  is_finetune: boolean;
  base_model_slug?: string | null;
  upstream_model?: string | null;
  description?: string | null;
  pricing_config?: PricingConfig | null;
  configurations?: { custom_host?: string; custom_headers?: Record<string, string>; [more: string]: unknown } | null;
}

export interface IntegrationModels {
  total: number;
  allow_all_models: boolean;
  models: IntegrationModel[];
}

/** What a PUT of models takes: an upsert, absent members stay. */
export type IntegrationModelChange = Pick<IntegrationModel, 'slug' | 'enabled'> & Partial<IntegrationModel>;

export interface WorkspaceAccess extends Limited {
  id: string; // the workspace's slug
  workspace_id: string;
  name: string;
  enabled: boolean;
  usage_limits: UsageLimit[] | null;
  rate_limits: RateLimit[] | null;
}

export interface IntegrationWorkspaces {
  total: number;
  workspaces: WorkspaceAccess[];
  global_workspace_access: GlobalAccess;
}

export interface WorkspaceAccessChange {
  id: string;
  enabled: boolean;
  usage_limits?: UsageLimit[] | null;
  rate_limits?: RateLimit[] | null;
  create_default_provider?: boolean;
  default_provider_slug?: string;
}

export interface Probe {
  success: boolean;
  http_status: number;
  message: string;
  latency_ms: number;
  data_plane_id: string;
}

export interface Provider extends Limited {
  id: string;
  slug: string;
  name: string;
  note?: string | null;
  status: 'active' | 'exhausted' | 'expired';
  integration_id?: string;
  ai_provider_name?: string;
  workspace_id: string;
  usage_limits: UsageLimit | null;
  rate_limits: RateLimit[] | null;
  expires_at?: string | null;
  allowed_models?: string[];
  created_at: string;
  last_updated_at: string;
}

/** A row of GET /v1/models: what a workspace may call. */
export interface CallableModel {
  id: string; // "@provider/model"
  slug: string;
  canonical_slug: string;
  created: number;
  owned_by: string; // kind of provider
}

export interface ConsoleFacts {
  gateway_url: string;
}

export interface ApiKeyMade {
  id: string;
  key: string;
}

export type KeyKind = 'organisation-service' | 'workspace-service' | 'workspace-user';

export interface ApiKey extends Limited {
  id: string;
  key: string; // masked
  type: KeyKind;
  workspace_id: string | null;
  user_id: string | null;
  status: 'active' | 'exhausted' | 'expired';
  name: string;
  description?: string | null;
  scopes: string[];
  usage_limits: UsageLimit | null;
  rate_limits: RateLimit[] | null;
  allowed_models?: string[];
  expires_at?: string | null;
  defaults: { config_id?: string | null; metadata?: Record<string, string> } | null;
  created_at: string;
  last_updated_at: string;
}

export interface ApiKeyRotated extends ApiKeyMade {
  key_transition_expires_at: string | null;
}

export type Role = 'admin' | 'manager' | 'member';

/** A person in a workspace; the role is the one in effect. */
export interface Member {
  id: string;
  first_name: string;
  last_name: string;
  email: string;
  org_role: string;
  role: Role;
  created_at: string;
  last_updated_at: string;
}

export interface User {
  id: string;
  first_name: string;
  last_name: string;
  email: string;
  role: 'owner' | 'admin' | 'member';
  created_at: string;
}

export interface ConfigSummary {
  id: string;
  slug: string;
  name: string;
  workspace_id: string;
  is_default: number;
  version_id: string | null;
  created_at: string;
  last_updated_at: string;
}

export interface Config extends ConfigSummary {
  config: Record<string, unknown>;
}

/** The answer to making or changing a config. */
export interface ConfigWritten {
  id: string;
  slug: string;
  version_id: string;
  /** What the document holds without effect; absent when no document was sent. */
  warnings?: string[];
}

/** Sums of the ledger. Costs are US dollars. */
export interface UsageTotals {
  requests: number;
  errors: number;
  /** Their cost is unknown, and not 0. */
  unpriced_requests: number;
  estimated_requests: number;
  input_tokens: number;
  output_tokens: number;
  cached_tokens: number;
  cost_usd: number;
  charge_usd: number;
}

/** A group's row: what it is about is in the member that its grouping has. */
export interface UsageRow extends UsageTotals {
  id?: string;
  slug?: string;
  name?: string;
  email?: string;
  model?: string;
  day?: string;
  hour?: string;
}

export interface Usage {
  group_by: string;
  from: string;
  to: string;
  data: UsageRow[];
  totals: UsageTotals;
}

export interface DataPlane {
  id: string;
  name: string;
  region: string;
  status: 'connected' | 'disconnected' | 'never_seen' | 'removed';
  revision: number;
  lag_ms: number;
  last_seen_at: string | null;
  workers_ready: number;
  requests: number;
  errors: number;
  open_requests: number;
  journal_pending: number;
  software: string;
  refused: { revision: number; reason: string } | null;
  created_at: string;
}

export interface DataPlanes extends List<DataPlane> {
  /** The newest there is. */
  revision: number;
}

export interface AuditRecord {
  id: string;
  timestamp: string;
  method: string;
  uri: string;
  request_id: string;
  request_body: string;
  user_id: string;
  user_type: string;
  workspace_id: string | null;
  response_status_code: number;
  resource_type: string;
  resource_id: string;
  resource_slug: string;
  action: string;
  client_ip: string;
}

export interface AuditPage {
  records: AuditRecord[];
  total: number;
}
