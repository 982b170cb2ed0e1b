// sim_bedrock.mjs: Bedrock, STS and S3 in the simulator, by the official SDK: every request is signed, and every signature checked.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { beforeEach, test } from 'node:test';

import { BedrockClient, CreateModelInvocationJobCommand, GetInferenceProfileCommand, GetModelInvocationJobCommand, ListFoundationModelsCommand,
  ListModelInvocationJobsCommand, StopModelInvocationJobCommand } from '@aws-sdk/client-bedrock';
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand, CountTokensCommand, InvokeModelCommand,
  InvokeModelWithResponseStreamCommand } from '@aws-sdk/client-bedrock-runtime';
import { CompleteMultipartUploadCommand, CreateMultipartUploadCommand, DeleteObjectCommand, GetObjectAttributesCommand, GetObjectCommand,
  ListObjectsV2Command, PutObjectCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { SignatureV4 } from '@smithy/signature-v4';

import { collect, failure, pdf, png, tokens, truth, url } from './sim_suite.mjs';

const credentials = { accessKeyId: 'AKIAONE', secretAccessKey: 'secret/one+1' };
// The runtime's client would speak HTTP/2 unless told otherwise; the simulator speaks HTTP/1.1.
const options = { region: 'us-east-1', endpoint: url, credentials, maxAttempts: 1, requestHandler: new NodeHttpHandler() };
const runtime = new BedrockRuntimeClient(options);
const control = new BedrockClient(options);
const modelId = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
const text = (words, role = 'user') => ({ role, content: [{ text: words }] });
const hello = [text('Hello!')];
const converse = (more, client = runtime) => client.send(new ConverseCommand({ modelId, messages: hello, ...more }));
const stream = async (more, client = runtime) => collect((await client.send(new ConverseStreamCommand({ modelId, messages: hello, ...more }))).stream);
const tool = (name, properties = { city: { type: 'string' } }) => ({ toolSpec: { name, inputSchema: { json: { type: 'object', properties } } } });
const refused = async (more, words, name = 'ValidationException') => {
  const error = await failure(converse(more));
  assert.equal(error.name, name, error.message);
  assert.ok(error.message.includes(words), `${error.message} | ${words}`);
};
const invoke = async (id, body, client = runtime) => {
  const reply = await client.send(new InvokeModelCommand({ modelId: id, body: JSON.stringify(body), contentType: 'application/json' }));
  return JSON.parse(Buffer.from(reply.body));
};
const bytes = (base64) => Buffer.from(base64, 'base64');

/** What a stream's events add up to. */
function assemble(events) {
  const content = [];
  let stopReason, usage;
  for (const e of events) {
    const at = e.contentBlockStart ?? e.contentBlockDelta;
    const block = at && (content[at.contentBlockIndex] ??= {});
    if (e.contentBlockStart) block.toolUse = { ...e.contentBlockStart.start.toolUse, input: '' };
    const delta = e.contentBlockDelta?.delta;
    if (delta?.text !== undefined) block.text = (block.text ?? '') + delta.text;
    if (delta?.toolUse) block.toolUse.input += delta.toolUse.input;
    if (delta?.reasoningContent) {
      block.reasoningContent ??= { reasoningText: { text: '' } };
      block.reasoningContent.reasoningText.text += delta.reasoningContent.text ?? '';
      if (delta.reasoningContent.signature) block.reasoningContent.reasoningText.signature = delta.reasoningContent.signature;
    }
    stopReason = e.messageStop?.stopReason ?? stopReason;
    usage = e.metadata?.usage ?? usage;
  }
  for (const block of content) if (block.toolUse) block.toolUse.input = JSON.parse(block.toolUse.input);
  return { content, stopReason, usage };
}

beforeEach(truth.reset);

test('converse: answer, usage, truth record', async () => {
  const reply = await converse({ system: [{ text: 'Be brief.' }] });
  assert.deepEqual(reply.output.message, { role: 'assistant', content: [{ text: 'You said: Hello!' }] });
  const input = 3 + 4 + tokens('Be brief.') + 4 + tokens('Hello!');
  assert.deepEqual([reply.stopReason, reply.usage.inputTokens, reply.usage.outputTokens, reply.usage.totalTokens], ['end_turn', input, 4, input + 4]);
  assert.ok(reply.$metadata.requestId);
  const record = await truth.last();
  assert.equal(record.path, '/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse');
  assert.deepEqual([record.auth_header, record.prompt_tokens, record.completion_tokens, record.model], ['authorization', input, 4, modelId]);
});

test('names of models: ids, profiles, ARNs', async () => {
  const names = ['anthropic.claude-3-haiku-20240307-v1:0', 'eu.anthropic.claude-haiku-4-5-20251001-v1:0', 'global.anthropic.claude-opus-4-8',
    'anthropic.claude-opus-4-6-v1', 'amazon.nova-pro-v1:0', 'meta.llama3-3-70b-instruct-v1:0',
    'arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-20250514-v1:0',
    'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0',
    'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def'];
  for (const id of names) assert.equal((await converse({ modelId: id })).output.message.content.at(-1).text, 'You said: Hello!', id);
  for (const id of ['anthropic.claude-9', 'claude-sonnet-4-5', 'arn:aws:s3:::x']) await refused({ modelId: id }, 'The provided model identifier is invalid.');
  const profile = await control.send(new GetInferenceProfileCommand({ inferenceProfileIdentifier: names.at(-1) }));
  assert.deepEqual([profile.type, profile.models[0].modelArn], ['APPLICATION', 'arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0']);
  const { modelSummaries } = await control.send(new ListFoundationModelsCommand({ byProvider: 'anthropic' }));
  assert.ok(modelSummaries.length > 10 && modelSummaries.every((m) => m.providerName === 'Anthropic'));
});

test('signatures: secret, region, session token, API key', async () => {
  const fails = async (more, name) => assert.equal((await failure(converse({}, new BedrockRuntimeClient({ ...options, ...more })))).name, name);
  await fails({ credentials: { ...credentials, secretAccessKey: 'other' } }, 'InvalidSignatureException');
  await fails({ credentials: { ...credentials, accessKeyId: 'AKIATWO' } }, 'UnrecognizedClientException');
  await fails({ systemClockOffset: -600_000 }, 'InvalidSignatureException');
  const bearer = new BedrockRuntimeClient({ ...options, credentials: undefined, token: { token: 'bedrock-key-one' }, authSchemePreference: ['httpBearerAuth'] });
  assert.equal((await converse({}, bearer)).stopReason, 'end_turn');
  assert.equal((await truth.last()).headers.authorization, 'Bearer bedrock-key-one');
  const wrong = new BedrockRuntimeClient({ ...options, credentials: undefined, token: { token: 'two' }, authSchemePreference: ['httpBearerAuth'] });
  assert.equal((await failure(converse({}, wrong))).name, 'AccessDeniedException');
  const bare = await fetch(`${url}/model/x/converse`, { method: 'POST', body: '{}' });
  assert.deepEqual([bare.status, (await bare.json()).message], [403, 'Missing Authentication Token']);
});

test('a signature holds for the bytes that were signed', async () => {
  class Sha256 {
    constructor(key) { this.hash = key ? createHmac('sha256', key) : createHash('sha256'); }
    update(data) { this.hash.update(data); }
    async digest() { return this.hash.digest(); }
  }
  const signer = new SignatureV4({ credentials, region: 'us-east-1', service: 'bedrock', sha256: Sha256 });
  const body = JSON.stringify({ messages: hello });
  const path = '/model/amazon.nova-pro-v1%3A0/converse';
  const host = new URL(url).host;
  const sign = (more) => signer.sign({ method: 'POST', protocol: 'http:', hostname: '127.0.0.1', path, query: { b: '1 2', a: 'x/y' },
    headers: { host, 'content-type': 'application/json', ...more }, body });
  const send = async (signed, change = {}) => (await fetch(`${url}${path}?a=x%2Fy&b=1%202`, { method: 'POST', headers: { ...signed.headers, ...change.headers },
    body: change.body ?? body })).status;
  const signed = await sign();
  delete signed.headers.host;
  assert.equal(await send(signed), 200);
  assert.equal(await send(signed, { body: body.replace('Hello', 'Hullo') }), 403);
  assert.equal(await send(signed, { headers: { 'x-amz-unsigned': '1' } }), 403);
  assert.equal(await send(signed, { headers: { 'content-type': 'text/plain' } }), 403);
  assert.equal(await send(signed, { headers: { 'x-amz-content-sha256': '0'.repeat(64) } }), 403);
});

test('converse stream: frames, and the same content as the whole', async () => {
  const events = await stream();
  assert.deepEqual(Object.keys(events[0]), ['messageStart']);
  assert.deepEqual(Object.keys(events.at(-1)), ['metadata']);
  assert.ok(!events.some((e) => e.contentBlockStart), 'a text block has no start');
  for (const more of [{}, { inferenceConfig: { maxTokens: 2 } }, { messages: [text('weather and time sim:fault=preface')], toolConfig: { tools: [tool('get_weather'), tool('get_time')] } },
    { inferenceConfig: { stopSequences: [' said'] } }]) {
    const [whole, parts] = [await converse(more), assemble(await stream(more))];
    for (const block of [...parts.content, ...whole.output.message.content]) if (block.toolUse) delete block.toolUse.toolUseId;
    assert.deepEqual(parts.content, whole.output.message.content);
    assert.deepEqual([parts.stopReason, parts.usage], [whole.stopReason, whole.usage]);
    assert.equal((await truth.last()).completion_tokens, whole.usage.outputTokens);
  }
});

test('tools over turns, choices, and the rules about them', async () => {
  const toolConfig = { tools: [tool('get_weather'), tool('get_time', {})] };
  const ask = [text('weather and time')];
  const first = await converse({ toolConfig, messages: ask });
  const uses = first.output.message.content;
  assert.deepEqual(uses.map((b) => b.toolUse.name), ['get_weather', 'get_time']);
  assert.match(uses[0].toolUse.toolUseId, /^tooluse_/);
  const results = (...ids) => ({ role: 'user', content: ids.map((id, i) => ({ toolResult: { toolUseId: id, status: 'success',
    content: [i ? { json: { h: 12 } } : { text: 'sunny' }] } })) });
  const ids = uses.map((b) => b.toolUse.toolUseId);
  const second = await converse({ toolConfig, messages: [...ask, first.output.message, results(...ids)] });
  assert.equal(second.output.message.content[0].text, 'You said: sunny\n{"h":12}');
  const choose = async (toolChoice) => (await converse({ toolConfig: { ...toolConfig, toolChoice }, messages: hello })).output.message.content;
  assert.equal((await choose({ any: {} }))[0].toolUse.name, 'get_weather');
  assert.equal((await choose({ tool: { name: 'get_time' } }))[0].toolUse.name, 'get_time');
  assert.equal((await choose({ auto: {} }))[0].text, 'You said: Hello!');
  await refused({ messages: [...ask, first.output.message, results(...ids)] }, 'The toolConfig field must be defined when using toolUse and toolResult');
  await refused({ toolConfig, messages: [...ask, first.output.message, results(ids[0])] }, 'Expected toolResult blocks at messages.2.content for the following Ids');
  await refused({ toolConfig, messages: [...ask, text('x', 'assistant'), results(ids[0])] }, 'exceeds the number of toolUse blocks of previous turn');
  await refused({ toolConfig, modelId: 'amazon.titan-text-express-v1' }, "This model doesn't support tool use.");
  await refused({ toolConfig: { tools: [tool('a b')] } }, 'Member must satisfy regular expression pattern');
});

test('reasoning comes back with its signature, or is refused', async () => {
  const more = { additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 1024 } }, inferenceConfig: { maxTokens: 4000 },
    toolConfig: { tools: [tool('get_weather')] } };
  const messages = [text('weather')];
  const first = await converse({ ...more, messages });
  const [thought, use] = first.output.message.content;
  assert.equal(thought.reasoningContent.reasoningText.text, 'The user says: weather');
  const parts = assemble(await stream({ ...more, messages }));
  assert.deepEqual(parts.content[0], thought);
  const back = (content) => ({ ...more, messages: [...messages, { role: 'assistant', content }, { role: 'user', content: [
    { toolResult: { toolUseId: use.toolUse.toolUseId, content: [{ text: 'sunny' }] } }] }] });
  assert.equal((await converse(back([thought, use]))).output.message.content[1].text, 'You said: sunny');
  await refused(back([use]), 'Expected `thinking` or `redacted_thinking`, but found `tool_use`');
  const changed = { reasoningContent: { reasoningText: { ...thought.reasoningContent.reasoningText, text: 'x' } } };
  await refused(back([changed, use]), 'Invalid `signature` in `thinking` block');
  const magic = 'ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB';
  const redacted = (await converse({ ...more, messages: [text(magic)] })).output.message.content[0];
  assert.ok(redacted.reasoningContent.redactedContent.length > 0);
  assert.equal((await converse({ ...more, messages: [text(magic), { role: 'assistant', content: [redacted, { text: 'ok' }] }, text('go')] })).stopReason, 'end_turn');
  const r1 = await converse({ modelId: 'us.deepseek.r1-v1:0' });
  assert.equal(r1.output.message.content[0].reasoningContent.reasoningText.text, 'The user says: Hello!');
});

test('cache points', async () => {
  const long = 'The river runs on past the mill. '.repeat(200), cached = 3 + 4 + tokens(long);
  const system = [{ text: long }, { cachePoint: { type: 'default' } }];
  const first = (await converse({ system })).usage, second = (await converse({ system, messages: [text('x')] })).usage;
  assert.deepEqual([first.cacheWriteInputTokens, first.cacheReadInputTokens, first.inputTokens], [cached, 0, 6]);
  assert.deepEqual(first.cacheDetails, [{ ttl: '5m', inputTokens: cached }]);
  assert.deepEqual([second.cacheWriteInputTokens, second.cacheReadInputTokens, second.totalTokens], [0, cached, cached + 4 + 1 + second.outputTokens]);
  const hour = (await converse({ modelId: 'anthropic.claude-opus-4-8', system: [{ text: long }, { cachePoint: { type: 'default', ttl: '1h' } }] })).usage;
  assert.deepEqual(hour.cacheDetails, [{ ttl: '1h', inputTokens: cached }]);
  await refused({ modelId: 'meta.llama3-3-70b-instruct-v1:0', messages: [{ role: 'user', content: [{ text: 'x' }, { cachePoint: { type: 'default' } }] }] }, 'prompt caching');
});

test('images and documents', async () => {
  const image = { image: { format: 'png', source: { bytes: bytes(png) } } };
  const document = (name) => ({ document: { format: 'pdf', name, source: { bytes: bytes(pdf) } } });
  const reply = await converse({ messages: [{ role: 'user', content: [image, document('report 1'), { text: 'What?' }] }] });
  assert.equal(reply.usage.inputTokens, 3 + 4 + 85 + 200 + 2);
  await refused({ messages: [{ role: 'user', content: [{ image: { format: 'jpeg', source: { bytes: bytes(png) } } }, { text: 'x' }] }] }, 'appears to be a image/png image');
  await refused({ messages: [{ role: 'user', content: [document('a.pdf'), { text: 'x' }] }] }, 'The document file name can only contain');
  await refused({ messages: [{ role: 'user', content: [document('a')] }] }, 'A text block must be included');
  await refused({ modelId: 'amazon.nova-micro-v1:0', messages: [{ role: 'user', content: [image] }] }, "doesn't support the image content block");
});

test('strict bodies', async () => {
  await refused({ messages: [] }, 'A conversation must start with a user message');
  await refused({ messages: [text('x', 'assistant')] }, 'A conversation must start with a user message');
  await refused({ messages: [text('x'), text('y')] }, 'A conversation must alternate between user and assistant roles');
  await refused({ messages: [text(' ')] }, 'is blank. Add text to the text field');
  await refused({ inferenceConfig: { maxTokens: 0 } }, "Value at 'inferenceConfig.maxTokens' failed to satisfy constraint");
  await refused({ inferenceConfig: { temperature: 1.5 } }, "Value at 'inferenceConfig.temperature' failed");
  await refused({ inferenceConfig: { maxTokens: 64001 } }, 'The model returned the following errors: max_tokens: 64001 > 64000');
  await refused({ modelId: 'anthropic.claude-opus-4-7', inferenceConfig: { temperature: 1 } }, 'The model returned the following errors: `temperature` is deprecated for this model.');
  await refused({ additionalModelRequestFields: { nonsense: 1 } }, 'The model returned the following errors: nonsense: Extra inputs are not permitted');
  await refused({ modelId: 'mistral.mistral-7b-instruct-v0:2', system: [{ text: 'x' }] }, "doesn't support system messages");
  await refused({ modelId: 'amazon.titan-embed-text-v2:0' }, "This action doesn't support the model that you provided");
  const raw = async (body) => {
    const reply = await fetch(`${url}/model/amazon.nova-pro-v1%3A0/converse`, { method: 'POST', headers: { authorization: 'Bearer bedrock-key-one' }, body: JSON.stringify(body) });
    return [reply.status, reply.headers.get('x-amzn-errortype')?.split(':')[0], (await reply.json()).message];
  };
  assert.deepEqual(await raw({ messages: hello, toolChoice: { auto: {} } }), [400, 'ValidationException', 'The member toolChoice is not known at this place.']);
  assert.deepEqual(await raw({ messages: [{ role: 'user', content: [{ text: 'x', image: {} }] }] }),
    [400, 'ValidationException', "The union at 'messages.0.content.0' must have exactly one of its members set."]);
  assert.deepEqual(await raw({ messages: [{ role: 'system', content: [{ text: 'x' }] }] }),
    [400, 'ValidationException', "1 validation error detected: Value 'system' at 'messages.0.role' failed to satisfy constraint: Member must satisfy enum value set: [user|assistant]"]);
  assert.equal((await raw({ messages: 'x' }))[1], 'SerializationException');
});

test('JSON output, performance, guardrails, extra response fields', async () => {
  const schema = { type: 'object', properties: { n: { type: 'integer', minimum: 7 } }, required: ['n'], additionalProperties: false };
  const format = { outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema: { name: 'x', schema: JSON.stringify(schema) } } } } };
  assert.deepEqual(JSON.parse((await converse(format)).output.message.content[0].text), { n: 7 });
  await refused({ modelId: 'amazon.nova-pro-v1:0', ...format }, "doesn't support the outputConfig.textFormat");
  const guarded = await converse({ messages: [text('x sim:fault=refuse')], guardrailConfig: { guardrailIdentifier: 'g', guardrailVersion: '1' },
    performanceConfig: { latency: 'standard' } });
  assert.equal(guarded.stopReason, 'guardrail_intervened');
  assert.equal((await converse({ messages: [text('x sim:fault=refuse')] })).stopReason, 'content_filtered');
  const extra = await converse({ inferenceConfig: { stopSequences: [' said'] }, additionalModelResponseFieldPaths: ['/stop_sequence'] });
  assert.deepEqual([extra.stopReason, extra.additionalModelResponseFields], ['stop_sequence', { stop_sequence: ' said' }]);
});

test('count tokens', async () => {
  const input = { converse: { messages: hello, system: [{ text: 'Be brief.' }] } };
  const { inputTokens } = await runtime.send(new CountTokensCommand({ modelId, input }));
  assert.equal(inputTokens, (await converse({ system: [{ text: 'Be brief.' }] })).usage.inputTokens);
  const body = JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 9, messages: [{ role: 'user', content: 'Hello!' }] });
  assert.equal((await runtime.send(new CountTokensCommand({ modelId, input: { invokeModel: { body } } }))).inputTokens, 9);
});

test('invoke: Claude in its own words, whole and streamed', async () => {
  const body = { anthropic_version: 'bedrock-2023-05-31', max_tokens: 50, messages: [{ role: 'user', content: 'Hello!' }] };
  const reply = await invoke(modelId, body);
  assert.deepEqual([reply.content[0].text, reply.usage.input_tokens], ['You said: Hello!', 9]);
  const chunks = await collect((await runtime.send(new InvokeModelWithResponseStreamCommand({ modelId, body: JSON.stringify(body) }))).body);
  const events = chunks.map((c) => JSON.parse(Buffer.from(c.chunk.bytes)));
  assert.deepEqual([events[0].type, events.at(-1).type], ['message_start', 'message_stop']);
  assert.equal(events.map((e) => e.delta?.text ?? '').join(''), 'You said: Hello!');
  const fails = async (more, words) => assert.ok((await failure(invoke(modelId, { ...body, ...more }))).message.includes(words));
  await fails({ anthropic_version: undefined }, 'anthropic_version: Field required');
  await fails({ model: 'x' }, 'model: Extra inputs are not permitted');
  await fails({ stream: true }, 'stream: Extra inputs are not permitted');
});

test('invoke: text models', async () => {
  const rows = [['amazon.titan-text-express-v1', { inputText: 'Hello!', textGenerationConfig: { maxTokenCount: 50 } }, (r) => r.results[0].outputText],
    ['meta.llama3-3-70b-instruct-v1:0', { prompt: 'Hello!', max_gen_len: 50 }, (r) => r.generation],
    ['mistral.mistral-7b-instruct-v0:2', { prompt: 'Hello!', max_tokens: 50 }, (r) => r.outputs[0].text],
    ['cohere.command-text-v14', { prompt: 'Hello!', max_tokens: 50 }, (r) => r.generations[0].text]];
  for (const [id, body, words] of rows) {
    assert.equal(words(await invoke(id, body)), 'You said: Hello!');
    const chunks = await collect((await runtime.send(new InvokeModelWithResponseStreamCommand({ modelId: id, body: JSON.stringify(body) }))).body);
    const last = JSON.parse(Buffer.from(chunks.at(-1).chunk.bytes));
    assert.deepEqual([last['amazon-bedrock-invocationMetrics'].inputTokenCount, last['amazon-bedrock-invocationMetrics'].outputTokenCount], [2, 4]);
    const error = await failure(invoke(id, { ...body, nonsense: 1 }));
    assert.match(error.message, /extraneous key \[nonsense\] is not permitted/);
  }
});

test('invoke: embeddings and reranking', async () => {
  const v1 = await invoke('amazon.titan-embed-text-v1', { inputText: 'Hello!' });
  assert.deepEqual([v1.embedding.length, v1.inputTextTokenCount], [1536, 2]);
  const v2 = await invoke('amazon.titan-embed-text-v2:0', { inputText: 'Hello!', dimensions: 256, embeddingTypes: ['float', 'binary'] });
  assert.deepEqual(v2.embeddingsByType.float, v1.embedding.slice(0, 256));
  assert.equal((await invoke('amazon.titan-embed-image-v1', { inputImage: png, embeddingConfig: { outputEmbeddingLength: 384 } })).embedding.length, 384);
  assert.match((await failure(invoke('amazon.titan-embed-text-v2:0', { inputText: 'x', dimensions: 300 }))).message, /300 is not a valid enum value/);
  const cohere = await invoke('cohere.embed-english-v3', { texts: ['Hello!', 'x'], input_type: 'search_query' });
  assert.deepEqual([cohere.response_type, cohere.embeddings.length, cohere.embeddings[0].slice(0, 9)], ['embeddings_floats', 2, v1.embedding.slice(0, 9)]);
  const typed = await invoke('cohere.embed-v4:0', { texts: ['x'], input_type: 'search_query', embedding_types: ['int8', 'ubinary'], output_dimension: 256 });
  assert.deepEqual([typed.embeddings.int8[0].length, typed.embeddings.ubinary[0].length], [256, 32]);
  assert.match((await failure(invoke('cohere.embed-english-v3', { texts: ['x'] }))).message, /required key \[input_type\] not found/);
  const { results } = await invoke('cohere.rerank-v3-5:0', { query: 'red boat', documents: ['a car', 'the red boat', 'a boat'], top_n: 2, api_version: 2 });
  assert.deepEqual(results, [{ index: 1, relevance_score: 1 }, { index: 2, relevance_score: 0.5 }]);
});

test('invoke: images', async () => {
  const is = (base64) => assert.equal(bytes(base64).subarray(1, 4).toString(), 'PNG');
  is((await invoke('stability.sd3-5-large-v1:0', { prompt: 'a boat', seed: 7 })).images[0]);
  is((await invoke('stability.stable-diffusion-xl-v1', { text_prompts: [{ text: 'a boat' }] })).artifacts[0].base64);
  const canvas = await invoke('amazon.nova-canvas-v1:0', { taskType: 'TEXT_IMAGE', textToImageParams: { text: 'a boat' }, imageGenerationConfig: { numberOfImages: 3 } });
  assert.equal(canvas.images.length, 3);
  await failure(invoke('amazon.titan-image-generator-v2:0', { taskType: 'TEXT_IMAGE' }));
});

test('faults in the words of this API', async () => {
  const fault = (spec) => failure(converse({ messages: [text(`x sim:fault=${spec}`)] }));
  for (const [status, name] of [[403, 'AccessDeniedException'], [404, 'ResourceNotFoundException'], [408, 'ModelTimeoutException'], [424, 'ModelErrorException'],
    [429, 'ThrottlingException'], [500, 'InternalServerException'], [503, 'ServiceUnavailableException']])
    assert.equal((await fault(`status:${status}`)).name, name);
  const broken = (spec) => stream({ messages: [text(`x sim:fault=${spec};chunks:5`)] });
  assert.equal((await failure(broken('error-event:2'))).name, 'ModelStreamErrorException');
  assert.equal((await truth.last()).completion_tokens, 2);
  await failure(broken('reset-after:2'));
});

test('STS: roles, external ids, web identity; the credentials work and die', async () => {
  const sts = new STSClient(options);
  const RoleArn = 'arn:aws:iam::123456789012:role/team/one';
  const assume = (more) => sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'gateway', ExternalId: 'external-1', ...more }));
  const { Credentials: got, AssumedRoleUser: user } = await assume({ DurationSeconds: 900 });
  assert.equal(user.Arn, 'arn:aws:sts::000000000000:assumed-role/team/one/gateway');
  assert.ok(got.Expiration > new Date() && got.Expiration < new Date(Date.now() + 901_000));
  const session = { accessKeyId: got.AccessKeyId, secretAccessKey: got.SecretAccessKey, sessionToken: got.SessionToken };
  assert.equal((await converse({}, new BedrockRuntimeClient({ ...options, credentials: session }))).stopReason, 'end_turn');
  const fails = async (promise, name) => assert.equal((await failure(promise)).name, name);
  await fails(converse({}, new BedrockRuntimeClient({ ...options, credentials: { ...session, sessionToken: undefined } })), 'UnrecognizedClientException');
  await fails(converse({}, new BedrockRuntimeClient({ ...options, credentials: { ...session, sessionToken: `${session.sessionToken}x` } })), 'UnrecognizedClientException');
  await fails(assume({ ExternalId: 'external-2' }), 'AccessDenied');
  await fails(assume({ ExternalId: undefined }), 'AccessDenied');
  await fails(assume({ RoleArn: 'arn:aws:iam::123456789012:role/two' }), 'AccessDenied');
  await fails(assume({ DurationSeconds: 60 }), 'ValidationError');
  await fails(new STSClient({ ...options, credentials: { ...credentials, secretAccessKey: 'x' } }).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'xx' })), 'SignatureDoesNotMatch');
  const jwt = (exp) => [{ alg: 'RS256' }, { sub: 'x', exp }, {}].map((p) => Buffer.from(JSON.stringify(p)).toString('base64url')).join('.');
  const web = (token) => new STSClient({ ...options, credentials: undefined }).send(new AssumeRoleWithWebIdentityCommand(
    { RoleArn: 'arn:aws:iam::123456789012:role/open', RoleSessionName: 'pod', WebIdentityToken: token }));
  const now = Math.floor(Date.now() / 1000);
  assert.match((await web(jwt(now + 60))).Credentials.AccessKeyId, /^ASIA[0-9A-F]{16}$/);
  await fails(web(jwt(now - 1)), 'ExpiredTokenException');
  await fails(web('x'), 'InvalidIdentityTokenException');
});

test('S3 and batch jobs', async () => {
  const s3 = new S3Client({ ...options, forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' });
  const at = { Bucket: 'files', Key: 'in/a b+ü.jsonl' };
  const rows = ['one', 'two'].map((id) => JSON.stringify({ recordId: id, modelInput: { anthropic_version: 'bedrock-2023-05-31', max_tokens: 20, messages: [{ role: 'user', content: id }] } }));
  await s3.send(new PutObjectCommand({ ...at, Body: `${rows[0]}\n`, ContentType: 'application/jsonl' }));
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at));
  const parts = [];
  for (const [i, Body] of [`${rows[0]}\n`, `${rows[1]}\n`].entries())
    parts.push({ PartNumber: i + 1, ETag: (await s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber: i + 1, Body }))).ETag });
  await s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts: parts } }));
  const read = async (where) => (await s3.send(new GetObjectCommand(where))).Body.transformToString();
  assert.equal(await read(at), `${rows.join('\n')}\n`);
  assert.equal((await s3.send(new GetObjectAttributesCommand({ ...at, ObjectAttributes: ['ObjectSize'] }))).ObjectSize, rows.join('\n').length + 1);
  const { jobArn } = await control.send(new CreateModelInvocationJobCommand({ jobName: 'j', roleArn: 'arn:aws:iam::123456789012:role/one', modelId,
    inputDataConfig: { s3InputDataConfig: { s3Uri: 's3://files/in/a b+ü.jsonl' } }, outputDataConfig: { s3OutputDataConfig: { s3Uri: 's3://files/out/' } } }));
  const status = async (jobIdentifier) => (await control.send(new GetModelInvocationJobCommand({ jobIdentifier }))).status;
  assert.equal(await status(jobArn), 'Submitted');
  const output = { Bucket: 'files', Key: `out/${jobArn.split('/').at(-1)}/a b+ü.jsonl.out` };
  assert.equal((await failure(read(output))).name, 'NoSuchKey');
  while ((await status(jobArn)) !== 'Completed') await new Promise((done) => setTimeout(done, 20));
  const lines = (await read(output)).trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((l) => [l.recordId, l.modelOutput.content[0].text]), [['one', 'You said: one'], ['two', 'You said: two']]);
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: 'files', Prefix: 'out/' }));
  assert.equal(Contents.length, 2);
  assert.equal((await control.send(new ListModelInvocationJobsCommand({}))).invocationJobSummaries[0].jobArn, jobArn);
  assert.equal((await failure(control.send(new StopModelInvocationJobCommand({ jobIdentifier: jobArn })))).name, 'ConflictException');
  await s3.send(new DeleteObjectCommand(at));
  assert.equal((await failure(read(at))).name, 'NoSuchKey');
  const wrong = new S3Client({ ...options, credentials: { ...credentials, secretAccessKey: 'x' }, forcePathStyle: true });
  assert.equal((await failure(wrong.send(new GetObjectCommand(at)))).name, 'SignatureDoesNotMatch');
});
