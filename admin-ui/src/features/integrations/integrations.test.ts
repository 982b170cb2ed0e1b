import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { AiProvider, Integration } from '~/api/types';
import { isSecret, specOf } from './specs';
import { checkValues, emptyValues, fieldOf, isShown, readValues, toBody, type Values } from './values';

const rows = readFileSync(new URL('../../../../control-plane/catalog-data/providers.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => {
    const row = JSON.parse(line) as AiProvider & { slug: string };
    return { ...row, id: row.slug };
  });
const provider = (id: string): AiProvider => {
  const found = rows.find((row) => row.id === id);
  if (found === undefined) throw new Error(id);
  return found;
};
const fieldsOf = (id: string) => {
  const spec = specOf(provider(id), false);
  return [...spec.main, ...spec.advanced];
};
const stored = (more: Partial<Integration>): Integration => ({ masked_key: null, configurations: {}, ...more }) as Integration;

test('every provider of the catalog has a form', () => {
  expect(rows.length).toBeGreaterThan(70);
  for (const row of rows) {
    const { main, advanced } = specOf(row, false);
    const names = [...main, ...advanced].map((field) => field.name);
    expect(new Set(names).size, `${row.id}: a field twice`).toBe(names.length);
    expect(main.some(isSecret), `${row.id}: no credential`).toBe(true);
    if (row.base_url === '')
      expect(
        main.some((field) => field.name === 'custom_host' && field.required),
        row.id,
      ).toBe(true);
    const hostHoles = [...row.base_url.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    for (const hole of hostHoles) expect(main.find((field) => field.name === hole)?.required, `${row.id}: ${hole}`).toBe(true);
    for (const field of main)
      for (const name of Object.keys(field.when ?? {}))
        expect(main.find((other) => other.name === name)?.kind, `${row.id}: ${field.name}`).toBe('select');
  }
});

test('a key alone makes the body of a plain provider', () => {
  const fields = fieldsOf('groq');
  const values: Values = { ...emptyValues(fields), texts: { key: ' gsk_1 ' } };
  expect(checkValues(fields, values)).toEqual({});
  expect(toBody(fields, values)).toEqual({ key: 'gsk_1', configurations: {} });
});

test('what is hidden is neither asked for nor sent', () => {
  const fields = fieldsOf('bedrock');
  const values: Values = {
    ...emptyValues(fields),
    texts: { aws_auth_type: 'apiKey', aws_region: 'eu-west-1', key: 'bedrock-key', aws_access_key_id: 'left over' },
  };
  expect(checkValues(fields, values)).toEqual({});
  expect(toBody(fields, values)).toEqual({
    key: 'bedrock-key',
    configurations: { aws_auth_type: 'apiKey', aws_region: 'eu-west-1' },
  });
});

test('what is missing is named', () => {
  const fields = fieldsOf('vertex-ai');
  const values = emptyValues(fields);
  expect(checkValues(fields, values)).toEqual({ vertex_region: 'is required', vertex_service_account_json: 'is required' });
  values.texts.vertex_region = 'europe-west4';
  values.texts.vertex_service_account_json = '["no"]';
  expect(checkValues(fields, values)).toEqual({ vertex_service_account_json: 'must be a JSON object' });
  values.texts.vertex_service_account_json = '{"type":"service_account"}';
  expect(toBody(fields, values).configurations.vertex_service_account_json).toEqual({ type: 'service_account' });
});

test('Azure deployments', () => {
  const fields = fieldsOf('azure-openai');
  const values = emptyValues(fields);
  values.texts.azure_resource_name = 'acme';
  values.texts.key = 'k';
  expect(checkValues(fields, values).azure_deployment_config).toBe('each needs a deployment name, a model and an API version');
  values.deployments = [
    {
      azure_deployment_name: 'd1',
      azure_model_slug: 'gpt-4o',
      azure_api_version: '2024-10-21',
      alias: 'fast ',
      is_default: true,
    },
    { azure_deployment_name: 'd2', azure_model_slug: 'gpt-4o', azure_api_version: '2024-10-21', alias: '', is_default: false },
  ];
  expect(checkValues(fields, values)).toEqual({});
  expect(toBody(fields, values).configurations.azure_deployment_config).toEqual([
    { azure_deployment_name: 'd1', azure_model_slug: 'gpt-4o', azure_api_version: '2024-10-21', alias: 'fast', is_default: true },
    { azure_deployment_name: 'd2', azure_model_slug: 'gpt-4o', azure_api_version: '2024-10-21', is_default: false },
  ]);
});

test('stored secrets stay unless they are replaced, and unknown members stay', () => {
  const fields = fieldsOf('openai');
  const there = stored({
    masked_key: 'sk-***abcd',
    configurations: { openai_project: 'p1', region: 'eu', masked_custom_headers: { 'x-a': '***' } },
  });
  const values = readValues(fields, there);
  expect(values.kept).toEqual({ key: 'sk-***abcd', custom_headers: 'x-a' });
  values.texts.openai_project = 'p2';
  expect(toBody(fields, values, there)).toEqual({ configurations: { region: 'eu', openai_project: 'p2' }, passthrough: false });
  const { key: _, ...rest } = values.kept;
  expect(toBody(fields, { ...values, kept: rest, texts: { ...values.texts, key: 'sk-new' } }, there).key).toBe('sk-new');
});

test('a secret of another way to sign in goes with it', () => {
  const fields = fieldsOf('bedrock');
  const there = stored({
    configurations: {
      aws_auth_type: 'accessKey',
      aws_region: 'r',
      masked_aws_access_key_id: '***',
      masked_aws_secret_access_key: '***',
    },
  });
  const values = readValues(fields, there);
  values.texts.aws_auth_type = 'apiKey';
  expect(toBody(fields, values, there).configurations).toEqual({
    aws_auth_type: 'apiKey',
    aws_region: 'r',
    aws_access_key_id: null,
    aws_secret_access_key: null,
  });
});

test('a role is assumed with the access key that is there', () => {
  const fields = fieldsOf('bedrock');
  const there = stored({
    configurations: {
      aws_auth_type: 'accessKey',
      aws_region: 'r',
      masked_aws_access_key_id: '***',
      masked_aws_secret_access_key: '***',
    },
  });
  const values = readValues(fields, there);
  values.texts.aws_auth_type = 'assumedRole';
  values.texts.aws_role_arn = 'arn:x';
  expect(checkValues(fields, values)).toEqual({});
  expect(toBody(fields, values, there).configurations).toEqual({
    aws_auth_type: 'assumedRole',
    aws_region: 'r',
    aws_role_arn: 'arn:x',
  });
});

test('a key that the way to sign in has no use for goes', () => {
  const fields = fieldsOf('azure-openai');
  const values = readValues(
    fields,
    stored({ masked_key: '***', configurations: { azure_auth_mode: 'default', azure_resource_name: 'a' } }),
  );
  expect(toBody(fields, values).key).toBeUndefined();
  values.texts.azure_auth_mode = 'managed';
  expect(toBody(fields, values).key).toBeNull();
});

test('a refusal finds its field', () => {
  const fields = fieldsOf('azure-openai');
  expect(fieldOf('configurations.azure_resource_name', fields)).toBe('azure_resource_name');
  expect(fieldOf('configurations.azure_deployment_config.0.alias', fields)).toBe('azure_deployment_config');
  expect(fieldOf('key', fields)).toBe('key');
  expect(fieldOf('slug', fields)).toBeUndefined();
});

test('a server of one’s own', () => {
  const { main } = specOf(provider('openai'), true);
  const values = emptyValues(main);
  expect(checkValues(main, values)).toEqual({ custom_host: 'is required' });
  expect(main.filter((field) => isShown(field, values)).map((field) => field.name)).toEqual([
    'api_dialect',
    'custom_host',
    'key',
  ]);
  values.texts.custom_host = 'https://llm.example/v1';
  expect(toBody(main, values)).toEqual({ api_dialect: 'openai', configurations: { custom_host: 'https://llm.example/v1' } });
});
