/* Which fields a provider's credentials have. Most have one key; the rows of SPECS are those that need more. A provider that the
 * catalog gains later gets a form from its catalog row alone: its key, its placeholders, and its host where it has none. */
import type { AiProvider } from '~/api/types';
import type { Option } from '~/ui/choice';

export type FieldKind = 'text' | 'secret' | 'url' | 'json' | 'pem' | 'select' | 'switch' | 'deployments' | 'headers' | 'hosts';

export interface FieldSpec {
  /** "key", "api_dialect", "passthrough", or a member of `configurations`. */
  name: string;
  label: string;
  kind: FieldKind;
  required?: boolean;
  help?: string;
  placeholder?: string;
  options?: Option[];
  initial?: string;
  /** Shown only while these fields have one of these values. */
  when?: Record<string, readonly string[]>;
}

/** Members that hold secrets: the API masks them, and they are replaced, never shown. */
export const isSecret = (field: FieldSpec): boolean =>
  field.kind === 'secret' || field.kind === 'json' || field.kind === 'pem' || field.kind === 'headers';

const keyOf = (provider: AiProvider): FieldSpec => ({
  name: 'key',
  label: 'API key',
  kind: 'secret',
  required: provider.auth.optional !== true,
  ...(provider.env?.[0] !== undefined && {
    placeholder: provider.env.find((name) => /KEY|TOKEN|PAT/.test(name)) ?? provider.env[0],
  }),
});

const AZURE_MODES: Option[] = [
  { id: 'default', label: 'API key' },
  { id: 'entra', label: 'Microsoft Entra application' },
  { id: 'managed', label: 'Managed identity', note: 'of the host the gateway runs on' },
  { id: 'workload', label: 'Workload identity', note: 'of the pod the gateway runs in' },
  { id: 'entraFederated', label: 'Entra with federated credentials' },
];

const azureIdentity: FieldSpec[] = [
  { name: 'azure_auth_mode', label: 'Authentication', kind: 'select', options: AZURE_MODES, initial: 'default', required: true },
  {
    name: 'key',
    label: 'API key',
    kind: 'secret',
    required: true,
    placeholder: 'AZURE_API_KEY',
    when: { azure_auth_mode: ['default'] },
  },
  {
    name: 'azure_entra_tenant_id',
    label: 'Tenant ID',
    kind: 'text',
    required: true,
    when: { azure_auth_mode: ['entra', 'entraFederated'] },
  },
  {
    name: 'azure_entra_client_id',
    label: 'Client ID',
    kind: 'text',
    required: true,
    when: { azure_auth_mode: ['entra', 'entraFederated'] },
  },
  {
    name: 'azure_entra_client_secret',
    label: 'Client secret',
    kind: 'secret',
    required: true,
    when: { azure_auth_mode: ['entra'] },
  },
  {
    name: 'azure_managed_client_id',
    label: 'Client ID',
    kind: 'text',
    help: 'Only for a user-assigned identity.',
    when: { azure_auth_mode: ['managed'] },
  },
  { name: 'azure_workload_tenant_id', label: 'Tenant ID', kind: 'text', when: { azure_auth_mode: ['workload'] } },
  { name: 'azure_workload_client_id', label: 'Client ID', kind: 'text', when: { azure_auth_mode: ['workload'] } },
];

const awsIdentity = (modes: Option[]): FieldSpec[] => [
  { name: 'aws_auth_type', label: 'Authentication', kind: 'select', options: modes, initial: 'accessKey', required: true },
  { name: 'aws_region', label: 'Region', kind: 'text', required: true, placeholder: 'us-east-1' },
  {
    name: 'aws_access_key_id',
    label: 'Access key ID',
    kind: 'secret',
    required: true,
    placeholder: 'AKIA…',
    when: { aws_auth_type: ['accessKey', 'assumedRole'] },
  },
  {
    name: 'aws_secret_access_key',
    label: 'Secret access key',
    kind: 'secret',
    required: true,
    when: { aws_auth_type: ['accessKey', 'assumedRole'] },
  },
  {
    name: 'aws_role_arn',
    label: 'Role ARN',
    kind: 'text',
    required: true,
    placeholder: 'arn:aws:iam::123456789012:role/gateway',
    when: { aws_auth_type: ['assumedRole'] },
  },
  { name: 'aws_external_id', label: 'External ID', kind: 'text', when: { aws_auth_type: ['assumedRole'] } },
];

const AWS_ACCESS: Option = { id: 'accessKey', label: 'Access key' };
const AWS_ROLE: Option = { id: 'assumedRole', label: 'Assumed role' };

const ownHost: FieldSpec = {
  name: 'custom_host',
  label: 'Custom host',
  kind: 'url',
  required: true,
  placeholder: 'https://llm.example.com/v1',
  help: 'The base URL, with its path. Private addresses must be opened by the operator (private_upstreams).',
};

const SPECS: Record<string, (provider: AiProvider) => FieldSpec[]> = {
  openai: (provider) => [
    keyOf(provider),
    { name: 'openai_organization', label: 'Organization ID', kind: 'text', placeholder: 'org-…' },
    { name: 'openai_project', label: 'Project ID', kind: 'text', placeholder: 'proj_…' },
  ],
  anthropic: (provider) => [keyOf(provider)],
  'azure-openai': () => [
    {
      name: 'azure_resource_name',
      label: 'Resource name',
      kind: 'text',
      required: true,
      placeholder: 'acme-east',
      help: 'The first part of https://acme-east.openai.azure.com.',
    },
    ...azureIdentity,
    { name: 'azure_deployment_config', label: 'Deployments', kind: 'deployments', required: true },
  ],
  'azure-ai': () => [
    {
      name: 'azure_foundry_url',
      label: 'Foundry URL',
      kind: 'url',
      required: true,
      placeholder: 'https://acme.services.ai.azure.com/models',
    },
    ...azureIdentity,
    { name: 'azure_api_version', label: 'API version', kind: 'text', placeholder: '2024-05-01-preview' },
    { name: 'azure_deployment_name', label: 'Deployment name', kind: 'text' },
  ],
  bedrock: () => [
    ...awsIdentity([AWS_ACCESS, AWS_ROLE, { id: 'apiKey', label: 'Bedrock API key' }]),
    {
      name: 'key',
      label: 'Bedrock API key',
      kind: 'secret',
      required: true,
      placeholder: 'AWS_BEARER_TOKEN_BEDROCK',
      when: { aws_auth_type: ['apiKey'] },
    },
  ],
  sagemaker: () => [
    ...awsIdentity([AWS_ACCESS, AWS_ROLE]),
    { name: 'amzn_sagemaker_model_name', label: 'Endpoint name', kind: 'text' },
    { name: 'amzn_sagemaker_inference_component', label: 'Inference component', kind: 'text' },
    { name: 'amzn_sagemaker_target_model', label: 'Target model', kind: 'text' },
    { name: 'amzn_sagemaker_target_variant', label: 'Target variant', kind: 'text' },
    { name: 'amzn_sagemaker_target_container_hostname', label: 'Target container', kind: 'text' },
    { name: 'amzn_sagemaker_custom_attributes', label: 'Custom attributes', kind: 'text' },
  ],
  'vertex-ai': () => [
    {
      name: 'vertex_auth_type',
      label: 'Authentication',
      kind: 'select',
      required: true,
      initial: 'serviceAccount',
      options: [
        { id: 'serviceAccount', label: 'Service account' },
        { id: 'basic', label: 'Access token', note: 'short-lived, for trying' },
        { id: 'workload', label: 'Workload identity', note: 'of the host the gateway runs on' },
      ],
    },
    { name: 'vertex_region', label: 'Region', kind: 'text', required: true, placeholder: 'us-central1' },
    {
      name: 'vertex_project_id',
      label: 'Project ID',
      kind: 'text',
      required: true,
      when: { vertex_auth_type: ['basic', 'workload'] },
    },
    {
      name: 'vertex_service_account_json',
      label: 'Service account key',
      kind: 'json',
      required: true,
      placeholder: '{"type": "service_account", …}',
      help: 'The JSON file that Google Cloud gave when the key was made.',
      when: { vertex_auth_type: ['serviceAccount'] },
    },
    {
      name: 'key',
      label: 'Access token',
      kind: 'secret',
      required: true,
      placeholder: 'ya29.…',
      when: { vertex_auth_type: ['basic'] },
    },
  ],
  'workers-ai': (provider) => [
    {
      name: 'workers_ai_account_id',
      label: 'Cloudflare account ID',
      kind: 'text',
      required: true,
      placeholder: 'CLOUDFLARE_ACCOUNT_ID',
    },
    { ...keyOf(provider), label: 'API token', placeholder: 'CLOUDFLARE_API_KEY' },
  ],
  huggingface: (provider) => [
    { ...keyOf(provider), label: 'Access token' },
    {
      name: 'huggingface_base_url',
      label: 'Endpoint URL',
      kind: 'url',
      placeholder: 'https://….endpoints.huggingface.cloud/v1',
      help: 'Only for a dedicated inference endpoint.',
    },
  ],
  cortex: (provider) => [
    {
      name: 'snowflake_account',
      label: 'Snowflake account',
      kind: 'text',
      required: true,
      placeholder: 'acme-eu1',
      help: 'The first part of https://acme-eu1.snowflakecomputing.com.',
    },
    { ...keyOf(provider), label: 'Programmatic access token' },
  ],
  oracle: () => [
    { name: 'oracle_region', label: 'Region', kind: 'text', required: true, placeholder: 'us-chicago-1' },
    { name: 'oracle_tenancy', label: 'Tenancy OCID', kind: 'text', required: true, placeholder: 'ocid1.tenancy…' },
    { name: 'oracle_user', label: 'User OCID', kind: 'text', required: true, placeholder: 'ocid1.user…' },
    { name: 'oracle_fingerprint', label: 'Key fingerprint', kind: 'text', required: true, placeholder: '12:34:…' },
    { name: 'oracle_private_key', label: 'Private key', kind: 'pem', required: true, placeholder: '-----BEGIN PRIVATE KEY-----' },
    { name: 'oracle_key_passphrase', label: 'Passphrase of the key', kind: 'secret' },
    { name: 'oracle_compartment_id', label: 'Compartment OCID', kind: 'text', required: true, placeholder: 'ocid1.compartment…' },
  ],
  predibase: (provider) => [
    keyOf(provider),
    { name: 'user', label: 'Tenant ID', kind: 'text', help: 'Unless requests name it as user.' },
  ],
};

const labelOf = (name: string): string => {
  const words = name
    .replace(/_/g, ' ')
    .replace(/\bid\b/, 'ID')
    .replace(/\bapi\b/, 'API')
    .replace(/\burl\b/, 'URL');
  return words.charAt(0).toUpperCase() + words.slice(1);
};

function fromCatalog(provider: AiProvider): FieldSpec[] {
  const holes = (provider.placeholders ?? []).map(
    (name): FieldSpec => ({ name, label: labelOf(name), kind: 'text', required: true }),
  );
  return [...(provider.base_url === '' ? [ownHost] : []), ...holes, keyOf(provider)];
}

const ADVANCED: FieldSpec[] = [
  {
    name: 'custom_headers',
    label: 'Headers',
    kind: 'headers',
    help: 'Sent with every request, sealed like the key.',
  },
  {
    name: 'credential_hosts',
    label: 'Further hosts',
    kind: 'hosts',
    help: 'Hosts that models of this integration may name as their own, one a line. The credential goes to these and to no other.',
  },
  {
    name: 'passthrough',
    label: 'Pass other paths through',
    kind: 'switch',
    help: "Developers may also call the provider's own endpoints that keep nothing there.",
  },
];

export const SELF_HOSTED_DIALECTS: Option[] = [
  { id: 'openai', label: 'OpenAI' },
  { id: 'anthropic', label: 'Anthropic' },
];

export interface Spec {
  main: FieldSpec[];
  advanced: FieldSpec[];
}

/** The form of a provider; `selfHosted`: a server of one's own that speaks like it. */
export function specOf(provider: AiProvider, selfHosted: boolean): Spec {
  if (selfHosted)
    return {
      main: [
        {
          name: 'api_dialect',
          label: 'API specification',
          kind: 'select',
          options: SELF_HOSTED_DIALECTS,
          initial: 'openai',
          required: true,
        },
        ownHost,
        { ...keyOf(provider), required: false, placeholder: '', help: 'If your server asks for one.' },
      ],
      advanced: ADVANCED,
    };
  const main = (SPECS[provider.id] ?? fromCatalog)(provider);
  const hasHost = main.some((field) => field.name === 'custom_host');
  const host: FieldSpec = {
    ...ownHost,
    required: false,
    help: 'Instead of the provider’s own address: a proxy, a private endpoint.',
  };
  return { main, advanced: hasHost ? ADVANCED : [host, ...ADVANCED] };
}
