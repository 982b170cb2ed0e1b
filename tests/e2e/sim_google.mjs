// sim_google.mjs: the Gemini API and Vertex AI in the simulator, by the official SDK in both modes; Vertex with tokens from the simulated OAuth.
import assert from 'node:assert/strict';
import { createSign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeEach, test } from 'node:test';

import { FunctionCallingConfigMode, GoogleGenAI } from '@google/genai';

import { collect, failure, pdf, png, tokens, truth, url } from './sim_suite.mjs';

console.warn = console.info = () => {}; // the SDK tells of deprecations

const keys = process.env.SLUICE_KEYS;
const account = JSON.parse(readFileSync(`${keys}/account.json`, 'utf8'));
const gemini = new GoogleGenAI({ apiKey: 'google-key-one', httpOptions: { baseUrl: url } });
/** The token endpoint's address is fixed in Google's library; this is its own option for another transport. */
const transporterOptions = { fetchImplementation: (to, init) => fetch(String(to).replace('https://oauth2.googleapis.com', url), init) };
const vertexWith = (credentials) => new GoogleGenAI({ vertexai: true, project: 'proj', location: 'us-central1', httpOptions: { baseUrl: url },
  googleAuthOptions: { credentials, clientOptions: { transporterOptions }, universeDomain: 'googleapis.com' } });
const vertex = vertexWith({ client_email: account.client_email, private_key: account.private_key });

const model = 'gemini-2.5-flash';
const user = (...parts) => ({ role: 'user', parts: parts.map((p) => (typeof p === 'string' ? { text: p } : p)) });
const ask = (more = {}, client = gemini) => client.models.generateContent({ model, contents: [user('Hello!')], ...more });
const stream = async (more = {}, client = gemini) => collect(await client.models.generateContentStream({ model, contents: [user('Hello!')], ...more }));
const declare = (name, properties = { city: { type: 'STRING' } }) => ({ name, parameters: { type: 'OBJECT', properties } });
const functions = (...list) => [{ functionDeclarations: list }];
const post = async (path, body, headers = { 'x-goog-api-key': 'google-key-one' }, method = 'POST') => {
  const reply = await fetch(url + path, { method, headers, body: typeof body === 'string' || body === undefined ? body : JSON.stringify(body) });
  const text = await reply.text();
  return { status: reply.status, text, get json() { return JSON.parse(text); }, headers: reply.headers };
};
const refused = async (body, words, name = model) => {
  const { status, json } = await post(`/v1beta/models/${name}:generateContent`, { contents: [user('x')], ...body });
  assert.equal(status, 400, JSON.stringify(json));
  assert.equal(json.error.status, 'INVALID_ARGUMENT');
  assert.ok(json.error.message.includes(words), `${json.error.message} | ${words}`);
};

beforeEach(truth.reset);

for (const [name, client] of [['gemini', gemini], ['vertex', vertex]]) {
  test(`${name}: answer, usage, truth record`, async () => {
    const reply = await ask({ config: { systemInstruction: 'Be brief.' } }, client);
    assert.equal(reply.text, 'You said: Hello!');
    const input = 3 + 4 + tokens('Be brief.') + 4 + tokens('Hello!'), thoughts = tokens('The user says: Hello!');
    const u = reply.usageMetadata;
    assert.deepEqual([u.promptTokenCount, u.candidatesTokenCount, u.thoughtsTokenCount, u.totalTokenCount], [input, 4, thoughts, input + 4 + thoughts]);
    assert.deepEqual(u.promptTokensDetails, [{ modality: 'TEXT', tokenCount: input }]);
    assert.deepEqual([reply.candidates[0].finishReason, reply.modelVersion], ['STOP', model]);
    const record = await truth.last();
    assert.deepEqual([record.prompt_tokens, record.completion_tokens, record.reasoning_tokens, record.model], [input, 4 + thoughts, thoughts, model]);
    assert.equal(record.path, name === 'gemini' ? '/v1beta/models/gemini-2.5-flash:generateContent'
      : '/v1beta1/projects/proj/locations/us-central1/publishers/google/models/gemini-2.5-flash:generateContent');
    assert.equal(record.auth_header, name === 'gemini' ? 'x-goog-api-key' : 'authorization');
  });

  test(`${name}: a stream is the same content, with cumulative usage`, async () => {
    for (const more of [{}, { config: { maxOutputTokens: 8 } }, { config: { stopSequences: [' said'] } }, { contents: [user('grüße ✓ '.repeat(80))] },
      { contents: [user('weather and time sim:fault=preface')], config: { tools: functions(declare('get_weather'), declare('get_time')) } }]) {
      const [whole, chunks] = [await ask(more, client), await stream(more, client)];
      const parts = chunks.flatMap((c) => c.candidates[0].content.parts);
      assert.equal(parts.map((p) => p.text ?? '').join(''), whole.candidates[0].content.parts.map((p) => p.text ?? '').join(''));
      const calls = (list) => list.filter((p) => p.functionCall).map((p) => [p.functionCall.name, p.functionCall.args, !!p.thoughtSignature]);
      assert.deepEqual(calls(parts), calls(whole.candidates[0].content.parts));
      assert.deepEqual(chunks.at(-1).usageMetadata, whole.usageMetadata);
      assert.equal(chunks.at(-1).candidates[0].finishReason, whole.candidates[0].finishReason);
      assert.ok(chunks.slice(0, -1).every((c) => c.candidates[0].finishReason === undefined && c.usageMetadata.promptTokenCount > 0));
      assert.equal((await truth.last()).total_tokens ?? 0, whole.usageMetadata.totalTokenCount);
    }
  });
}

test('the two framings of a stream', async () => {
  const events = await post(`/v1beta/models/${model}:streamGenerateContent?alt=sse`, { contents: [user('x')] });
  assert.match(events.text, /^data: \{"candidates".*\}\r\n\r\ndata: /);
  assert.match(events.headers.get('content-type'), /text\/event-stream/);
  const array = await post(`/v1beta/models/${model}:streamGenerateContent`, { contents: [user('x')] });
  assert.equal(array.json.map((c) => c.candidates[0].content.parts[0].text).join(''), 'You said: x');
  const error = await post(`/v1beta/models/${model}:streamGenerateContent`, { contents: [] });
  assert.equal(error.json[0].error.code, 400);
});

test('functions over several turns, in parallel, and the choices', async () => {
  const tools = functions(declare('get_weather'), declare('get_time'));
  const contents = [user('What is the weather and the time?')];
  const first = await ask({ contents, config: { tools } });
  assert.deepEqual(first.functionCalls.map((c) => c.name), ['get_weather', 'get_time']);
  assert.deepEqual(first.functionCalls[0].args, { city: 'What is the weather and the time?' });
  assert.equal(first.candidates[0].finishReason, 'STOP');
  const answer = (name, response) => ({ functionResponse: { name, response } });
  const results = user(answer('get_weather', { output: 'sunny' }), answer('get_time', { output: 12 }));
  const second = await ask({ contents: [...contents, first.candidates[0].content, results], config: { tools } });
  assert.equal(second.text, 'You said: {"output":"sunny"}\n{"output":12}');
  const choose = async (config) => (await ask({ config: { tools, toolConfig: { functionCallingConfig: config } } })).functionCalls?.map((c) => c.name);
  assert.deepEqual(await choose({ mode: FunctionCallingConfigMode.ANY }), ['get_weather']);
  assert.deepEqual(await choose({ mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['get_time'] }), ['get_time']);
  assert.equal(await choose({ mode: FunctionCallingConfigMode.NONE }), undefined);
  const turn = (role, ...parts) => ({ role, parts });
  const use = { functionCall: { name: 'get_weather', args: {} } };
  await refused({ tools, contents: [...contents, turn('model', use, use), turn('user', answer('get_weather', {}))] }, 'number of function response parts is equal');
  await refused({ tools, contents: [...contents, turn('model', { text: 'x' }), turn('user', answer('get_weather', {}))] }, 'function response turn comes immediately after');
  await refused({ tools, contents: [turn('model', use), turn('user', answer('get_weather', {}))] }, 'function call turn comes immediately after a user turn');
  await refused({ tools, contents: [...contents, turn('model', use), turn('user', answer('get_news', {}))] }, "names no function call");
  await refused({ tools, contents: [...contents, turn('function', answer('get_weather', {}))] }, 'Please use a valid role: user, model.');
  await refused({ tools, contents: [...contents, turn('model', { text: 'x' })] }, 'multiturn requests end with a user role');
});

test('thinking: shown, hidden, bounded, refused', async () => {
  const shown = await ask({ config: { thinkingConfig: { includeThoughts: true } } });
  assert.deepEqual(shown.candidates[0].content.parts.map((p) => [p.text, !!p.thought]), [['The user says: Hello!', true], ['You said: Hello!', false]]);
  assert.equal((await ask({ config: { thinkingConfig: { thinkingBudget: 0 } } })).usageMetadata.thoughtsTokenCount, undefined);
  const long = await ask({ contents: [user('x sim:fault=reasoning:300')] });
  assert.equal(long.usageMetadata.thoughtsTokenCount, 300);
  assert.equal((await ask({ model: 'gemini-3.5-flash', config: { thinkingConfig: { thinkingLevel: 'LOW' } } })).text, 'You said: Hello!');
  const config = (thinkingConfig) => ({ generationConfig: { thinkingConfig } });
  await refused(config({ thinkingBudget: 0 }), 'This model only works in thinking mode', 'gemini-2.5-pro');
  await refused(config({ thinkingBudget: 100 }), 'thinking is not supported by this model', 'gemini-2.0-flash');
  await refused(config({ thinkingLevel: 'LOW' }), 'Thinking level is not supported', 'gemini-2.5-pro');
  await refused(config({ thinkingLevel: 'LOW', thinkingBudget: 100 }), 'one of thinking budget and thinking level', 'gemini-3.5-flash');
});

test('thought signatures must come back', async () => {
  const tools = functions(declare('get_weather'), declare('get_time'));
  const signed = 'gemini-3-pro-preview';
  const contents = [user('weather and time')];
  const first = await ask({ model: signed, contents, config: { tools } });
  const parts = first.candidates[0].content.parts;
  assert.deepEqual(parts.map((p) => !!p.thoughtSignature), [true, false], 'only the first of parallel calls is signed');
  assert.ok(first.functionCalls[0].id);
  const back = (change) => ({ tools, contents: [...contents, { role: 'model', parts: change(structuredClone(parts)) },
    user({ functionResponse: { name: 'get_weather', response: {} } }, { functionResponse: { name: 'get_time', response: {} } })] });
  const again = (change) => post(`/v1beta/models/${signed}:generateContent`, back(change));
  assert.equal((await again((p) => p)).status, 200);
  assert.equal((await again((p) => { p[0].thoughtSignature = 'skip_thought_signature_validator'; return p; })).status, 200);
  await refused(back((p) => { delete p[0].thoughtSignature; return p; }), 'Function call is missing a thought_signature in functionCall parts', signed);
  await refused(back((p) => { p[0].thoughtSignature = p[0].thoughtSignature.replace(/^.{4}/, 'AAAA'); return p; }), 'Corrupted thought signature', signed);
  await refused(back((p) => { [p[0].functionCall, p[1].functionCall] = [p[1].functionCall, p[0].functionCall]; return p; }), 'Corrupted thought signature', signed);
  const older = await post(`/v1beta/models/${model}:generateContent`, back((p) => p.map(({ functionCall }) => ({ functionCall }))));
  assert.equal(older.status, 200, 'a model that does not demand them');
  const past = back((p) => p.map(({ functionCall }) => ({ functionCall })));
  past.contents.push({ role: 'model', parts: [{ text: 'ok' }] }, user('and now?'));
  assert.equal((await post(`/v1beta/models/${signed}:generateContent`, past)).status, 200, 'turns that are over need none');
});

test('pictures in, pictures out, documents, audio', async () => {
  const contents = [user('What?', { inlineData: { mimeType: 'image/png', data: png } }, { inlineData: { mimeType: 'application/pdf', data: pdf } },
    { inlineData: { mimeType: 'audio/mp3', data: 'AAAA' } }, { fileData: { mimeType: 'image/jpeg', fileUri: 'gs://b/x.jpg' } })];
  const u = (await ask({ contents })).usageMetadata;
  assert.deepEqual(u.promptTokensDetails, [{ modality: 'TEXT', tokenCount: 3 + 4 + 2 }, { modality: 'IMAGE', tokenCount: 170 },
    { modality: 'AUDIO', tokenCount: 100 }, { modality: 'DOCUMENT', tokenCount: 200 }]);
  const blob = (mimeType, data) => ({ contents: [user({ inlineData: { mimeType, data } })] });
  await refused(blob('image/jpeg', png), 'Unable to process input image');
  await refused(blob('image/png', '%%%'), 'Base64 decoding failed');
  await refused(blob('application/zip', png), 'Unsupported MIME type');
  const drawn = await ask({ model: 'gemini-2.5-flash-image', config: { responseModalities: ['TEXT', 'IMAGE'] } });
  assert.deepEqual(drawn.candidates[0].content.parts.map((p) => p.inlineData?.mimeType), [undefined, 'image/png']);
  assert.equal(drawn.usageMetadata.candidatesTokenCount, 4 + 1290);
  const chunks = await stream({ model: 'gemini-2.5-flash-image' });
  assert.equal(chunks.flatMap((c) => c.candidates[0].content.parts).filter((p) => p.inlineData).length, 1);
  assert.equal(chunks.at(-1).usageMetadata.candidatesTokenCount, 4 + 1290);
  await refused({ generationConfig: { responseModalities: ['IMAGE'] } }, 'response modalities is not supported');
});

test('JSON, candidates, log probabilities, search, safety', async () => {
  const schema = { type: 'OBJECT', properties: { text: { type: 'STRING' }, n: { type: 'INTEGER', minimum: 7 } } };
  const json = { responseMimeType: 'application/json' };
  assert.deepEqual(JSON.parse((await ask({ config: { ...json, responseSchema: schema } })).text), { text: 'Hello!', n: 7 });
  assert.deepEqual(JSON.parse((await ask({ config: { ...json, responseJsonSchema: { type: 'object', properties: { n: { const: 3 } }, additionalProperties: false } } })).text), { n: 3 });
  const two = await ask({ config: { candidateCount: 2 } });
  assert.deepEqual([two.candidates.length, two.usageMetadata.candidatesTokenCount], [2, 8]);
  const logs = (await ask({ config: { responseLogprobs: true, logprobs: 1 } })).candidates[0].logprobsResult;
  assert.equal(logs.chosenCandidates.map((c) => c.token).join(''), 'You said: Hello!');
  const found = await ask({ config: { tools: [{ googleSearch: {} }] } });
  assert.deepEqual(found.candidates[0].groundingMetadata.webSearchQueries, ['Hello!']);
  const safetySettings = [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }];
  assert.equal((await ask({ config: { safetySettings } })).candidates[0].safetyRatings[0].probability, 'NEGLIGIBLE');
  const refusal = await ask({ contents: [user('x sim:fault=refuse')], config: { safetySettings } });
  assert.deepEqual([refusal.candidates[0].finishReason, refusal.candidates[0].safetyRatings[0].blocked], ['SAFETY', true]);
  const blocked = await ask({ contents: [user('x sim:fault=block')] });
  assert.deepEqual([blocked.candidates, blocked.promptFeedback.blockReason], [undefined, 'PROHIBITED_CONTENT']);
  assert.equal((await stream({ contents: [user('x sim:fault=block')] }))[0].promptFeedback.blockReason, 'PROHIBITED_CONTENT');
  const cached = (await ask({ contents: [user('x sim:fault=cached:5')] })).usageMetadata;
  assert.equal(cached.cachedContentTokenCount, 5);
});

test('strict bodies', async () => {
  const rows = [
    [{ contents: undefined }, 'contents is not specified'],
    [{ contents: [{ role: 'user', parts: [] }] }, 'contents.parts must not be empty'],
    [{ contents: [{ role: 'system', parts: [{ text: 'x' }] }] }, 'Please use a valid role: user, model.'],
    [{ contents: [user({ text: 'x', inlineData: { mimeType: 'image/png', data: png } })] }, "oneof field 'data' is already set"],
    [{ contents: [user({ thought: true })] }, "required oneof field 'data' must have one initialized field"],
    [{ messages: [] }, 'Unknown name "messages": Cannot find field.'],
    [{ generation_config: { max_tokens: 5 } }, `Unknown name "max_tokens" at 'generation_config': Cannot find field.`],
    [{ contents: [user({ type: 'text', text: 'x' })] }, `Unknown name "type" at 'contents[0].parts[0]': Cannot find field.`],
    [{ contents: [user({ text: 5 })] }, "Invalid value at 'contents[0].parts[0].text' (TYPE_STRING)"],
    [{ generationConfig: { temperature: 2.1 } }, 'the supported range is from 0 (inclusive) to 2 (inclusive)'],
    [{ generationConfig: { maxOutputTokens: 0 } }, 'maxOutputTokens is out of range'],
    [{ generationConfig: { maxOutputTokens: 9000 } }, 'the supported range is from 1 (inclusive) to 8193 (exclusive)', 'gemini-2.0-flash'],
    [{ generationConfig: { stopSequences: ['1', '2', '3', '4', '5', '6'] } }, 'too many items'],
    [{ generationConfig: { responseSchema: { type: 'STRING' } } }, 'response_mime_type is not application/json'],
    [{ tools: functions({ name: 'x', parameters: { type: 'object', properties: {}, additionalProperties: false } }) }, 'Unknown name "additionalProperties"'],
    [{ tools: functions({ name: 'x', parameters: { $ref: '#/x' } }) }, 'Unknown name "$ref"'],
    [{ tools: functions({ name: 'x', parameters: { type: 'OBJECT', properties: {} } }) }, '.parameters.properties: should be non-empty for OBJECT type'],
    [{ tools: functions({ name: 'x', parameters: { type: 'OBJECT', properties: { a: { type: 'ARRAY' } } } }) }, 'properties[a].items: missing field.'],
    [{ tools: functions(declare('a b')) }, 'Invalid function name'],
    [{ tools: functions(declare('a'), declare('a')) }, 'Duplicate function declaration found: a'],
    [{ tools: [{ type: 'function' }] }, `Unknown name "type" at 'tools[0]'`],
    [{ tools: functions(declare('a')), toolConfig: { functionCallingConfig: { mode: 'AUTO', allowedFunctionNames: ['a'] } } }, 'must have mode ANY'],
    [{ toolConfig: { functionCallingConfig: { mode: 'REQUIRED' } } }, "Invalid value at 'toolConfig.functionCallingConfig.mode' (TYPE_ENUM)"],
    [{ tools: functions(declare('a')), generationConfig: { responseMimeType: 'application/json' } }, "'application/json' is unsupported"],
    [{ safetySettings: [{ category: 'X', threshold: 'BLOCK_NONE' }] }, "Invalid value at 'safetySettings[0].category'"],
  ];
  for (const [body, words, name] of rows) await refused(body, words, name);
  const snake = await post(`/v1beta/models/${model}:generateContent`, { contents: [user('Hello!')], system_instruction: { parts: [{ text: 'Be brief.' }] },
    generation_config: { max_output_tokens: 8, candidate_count: 2 } });
  assert.equal(snake.json.candidates.length, 2);
  assert.equal(snake.json.usageMetadata.promptTokenCount, 3 + 4 + 3 + 4 + 2);
});

test('keys, models, paths', async () => {
  const body = { contents: [user('x')] };
  const path = `/v1beta/models/${model}:generateContent`;
  assert.equal((await post(path, body, {})).json.error.status, 'PERMISSION_DENIED');
  assert.equal((await post(path, body, { 'x-goog-api-key': 'two' })).json.error.details[0].reason, 'API_KEY_INVALID');
  assert.equal((await post(`${path}?key=google-key-one`, body, {})).json.error.details[0].reason, 'API_KEY_IN_URL');
  assert.equal((await post(path, body, { authorization: 'Bearer google-key-one' })).status, 403);
  const unknown = await failure(ask({ model: 'gemini-9' }));
  assert.equal(unknown.status, 404);
  assert.match(unknown.message, /models\/gemini-9 is not found for API version v1beta/);
  assert.equal((await failure(ask({ model: 'gemini-embedding-001' }))).status, 404);
  const names = (await collect(await gemini.models.list({ config: { pageSize: 5 } }))).map((m) => m.name);
  assert.ok(names.includes(`models/${model}`) && names.length > 20);
  assert.equal((await gemini.models.get({ model })).inputTokenLimit, 1048576);
});

test('embeddings', async () => {
  const one = await gemini.models.embedContent({ model: 'gemini-embedding-001', contents: 'Hello!', config: { outputDimensionality: 8, taskType: 'RETRIEVAL_QUERY' } });
  assert.equal(one.embeddings[0].values.length, 8);
  const many = await gemini.models.embedContent({ model: 'gemini-embedding-001', contents: ['Hello!', 'x'], config: { outputDimensionality: 8 } });
  assert.deepEqual([many.embeddings.length, many.embeddings[0].values], [2, one.embeddings[0].values]);
  const direct = await post('/v1beta/models/gemini-embedding-001:embedContent', { content: { parts: [{ text: 'Hello!' }] }, outputDimensionality: 8 });
  assert.deepEqual(direct.json.embedding.values, one.embeddings[0].values);
  const openai = await post('/v1/embeddings', { model: 'text-embedding-3-small', input: 'Hello!', dimensions: 8 }, { authorization: 'Bearer google-key-one' });
  assert.deepEqual(openai.json.data[0].embedding, one.embeddings[0].values, 'one input, one vector, whatever the API');
  const wrong = await post('/v1beta/models/gemini-embedding-001:batchEmbedContents', { requests: [{ content: { parts: [{ text: 'x' }] } }] });
  assert.match(wrong.json.error.message, /requests\[0\].model: unexpected model name format/);
  const texts = await vertex.models.embedContent({ model: 'text-embedding-005', contents: ['Hello!', 'xyzzy'], config: { outputDimensionality: 8 } });
  assert.deepEqual(texts.embeddings.map((e) => [e.values.length, e.statistics.tokenCount]), [[8, 2], [8, 2]]);
  assert.deepEqual(texts.embeddings[0].values, one.embeddings[0].values);
  assert.equal((await vertex.models.embedContent({ model: 'gemini-embedding-2', contents: 'Hello!', config: { outputDimensionality: 8 } })).embeddings[0].values.length, 8);
});

test('counting tokens', async () => {
  const { totalTokens } = await gemini.models.countTokens({ model, contents: [user('Hello!')] });
  assert.equal(totalTokens, 3 + 4 + 2);
  assert.equal((await vertex.models.countTokens({ model, contents: [user('Hello!')], config: { systemInstruction: 'Be brief.' } })).totalTokens, 3 + 4 + 3 + 4 + 2);
});

test('Imagen and multimodal embeddings', async () => {
  const { generatedImages } = await vertex.models.generateImages({ model: 'imagen-4.0-generate-001', prompt: 'a boat', config: { numberOfImages: 2, aspectRatio: '1:1' } });
  assert.equal(generatedImages.length, 2);
  assert.equal(Buffer.from(generatedImages[0].image.imageBytes, 'base64').subarray(1, 4).toString(), 'PNG');
  const project = '/v1/projects/proj/locations/us-central1/publishers/google/models';
  const token = { authorization: 'Bearer given-token' };
  const media = await post(`${project}/multimodalembedding@001:predict`, { instances: [{ text: 'a', image: { bytesBase64Encoded: png } }], parameters: { dimension: 128 } }, token);
  assert.deepEqual([media.json.predictions[0].textEmbedding.length, media.json.predictions[0].imageEmbedding.length], [128, 128]);
  assert.equal((await post(`${project}/imagen-4.0-generate-001:predict`, { instances: [{ prompt: 'a' }], parameters: { sampleCount: 5 } }, token)).status, 400);
});

test('faults in the words of this API', async () => {
  const fault = (spec) => failure(ask({ contents: [user(`x sim:fault=${spec}`)] }));
  for (const [status, word] of [[403, 'PERMISSION_DENIED'], [429, 'RESOURCE_EXHAUSTED'], [500, 'INTERNAL'], [503, 'UNAVAILABLE'], [504, 'DEADLINE_EXCEEDED']]) {
    const error = await fault(`status:${status}`);
    assert.deepEqual([error.status, JSON.parse(error.message).error.status], [status, word]);
  }
  const broken = (spec) => stream({ contents: [user(`x sim:fault=${spec};chunks:5`)] });
  const inside = await failure(broken('error-event:2'));
  assert.match(inside.message, /UNAVAILABLE/);
  assert.equal((await truth.last()).completion_tokens, tokens('The user says: x') + 2);
  await failure(broken('reset-after:2'));
  assert.ok(!(await broken('truncate:2').catch(() => [])).some((c) => c.candidates[0].finishReason));
});

test('Google OAuth: assertions are judged, tokens die', async () => {
  const now = Math.floor(Date.now() / 1000);
  const sign = (claims, key = account.private_key, head = { alg: 'RS256', typ: 'JWT' }) => {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${part(head)}.${part({ iss: account.client_email, scope: 'https://www.googleapis.com/auth/cloud-platform', aud: account.token_uri,
      iat: now, exp: now + 3600, ...claims })}`;
    return `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`;
  };
  const ask = (assertion, grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer') => post('/token',
    new URLSearchParams({ grant_type: grant, assertion }).toString(), { 'content-type': 'application/x-www-form-urlencoded' });
  const good = await ask(sign({}));
  assert.deepEqual([good.status, good.json.token_type, good.json.expires_in], [200, 'Bearer', 3599]);
  const project = `/v1/projects/proj/locations/us-central1/publishers/google/models/${model}:generateContent`;
  const use = (token) => post(project, { contents: [user('x')] }, { authorization: `Bearer ${token}` });
  assert.equal((await use(good.json.access_token)).status, 200);
  assert.equal((await use('given-token')).status, 200);
  assert.equal((await use(`${good.json.access_token}x`)).json.error.status, 'UNAUTHENTICATED');
  assert.equal((await post(project, { contents: [user('x')] }, { 'x-goog-api-key': 'google-key-one' })).status, 401);
  const rows = [
    [sign({}, readFileSync(`${keys}/other.pem`, 'utf8')), 'invalid_grant', 'Invalid JWT Signature.'],
    [sign({ iss: 'two@proj.iam.gserviceaccount.com' }), 'invalid_grant', 'account not found'],
    [sign({ aud: 'https://example.com' }), 'invalid_grant', 'audience'],
    [sign({ scope: 'https://www.googleapis.com/auth/drive' }), 'invalid_scope', 'scope'],
    [sign({ exp: now - 1 }), 'invalid_grant', 'reasonable timeframe'],
    [sign({ exp: now + 7200 }), 'invalid_grant', 'reasonable timeframe'],
    [sign({}, account.private_key, { alg: 'none' }), 'invalid_grant', 'Signature'],
    ['x', 'invalid_grant', 'Bad JWT'],
  ];
  for (const [assertion, error, words] of rows) {
    const { status, json } = await ask(assertion);
    assert.deepEqual([status, json.error], [400, error]);
    assert.ok(json.error_description.includes(words), json.error_description);
  }
  const wrong = vertexWith({ client_email: account.client_email, private_key: readFileSync(`${keys}/other.pem`, 'utf8') });
  await failure(wrong.models.generateContent({ model, contents: 'x' }));
});

test('other makers on Vertex: Claude, Mistral, Llama', async () => {
  const token = { authorization: 'Bearer given-token' };
  const at = '/v1/projects/proj/locations/us-east5';
  const body = { anthropic_version: 'vertex-2023-10-16', max_tokens: 50, messages: [{ role: 'user', content: 'Hello!' }] };
  const claude = (verb, more) => post(`${at}/publishers/anthropic/models/${verb}`, { ...body, ...more }, token);
  assert.equal((await claude('claude-sonnet-4-5@20250929:rawPredict')).json.content[0].text, 'You said: Hello!');
  assert.equal((await claude('claude-opus-4-6@default:rawPredict')).json.model, 'claude-opus-4-6');
  assert.match((await claude('claude-sonnet-4-5@20250929:streamRawPredict', { stream: true })).text, /event: message_stop/);
  assert.equal((await claude('count-tokens:rawPredict', { model: 'claude-sonnet-4-5@20250929', max_tokens: undefined })).json.input_tokens, 9);
  const wrong = await claude('claude-sonnet-4-5@20250929:rawPredict', { model: 'x' });
  assert.deepEqual([wrong.status, wrong.json.error.message], [400, 'model: Extra inputs are not permitted']);
  assert.match((await claude('claude-sonnet-4-5@20250929:rawPredict', { anthropic_version: undefined })).json.error.message, /anthropic_version: Field required/);
  for (const name of ['claude-sonnet-4-5-20250929', 'claude-sonnet-4-5']) assert.equal((await claude(`${name}:rawPredict`)).status, 404, 'Vertex writes the date behind an @');
  assert.equal((await claude('claude-sonnet-4-5@20250929:streamRawPredict')).status, 400);
  const chat = { messages: [{ role: 'user', content: 'Hello!' }] };
  const mistral = await post(`${at}/publishers/mistralai/models/mistral-medium-3:rawPredict`, { ...chat, model: 'mistral-medium-3' }, token);
  assert.equal(mistral.json.choices[0].message.content, 'You said: Hello!');
  assert.match((await post(`${at}/publishers/mistralai/models/mistral-medium-3:streamRawPredict`, { ...chat, model: 'mistral-medium-3', stream: true }, token)).text, /data: \[DONE\]/);
  assert.equal((await post(`${at}/publishers/mistralai/models/mistral-medium-3:rawPredict`, chat, token)).status, 400);
  const llama = (model, endpoint = 'openapi') => post(`/v1beta1/projects/proj/locations/us-east5/endpoints/${endpoint}/chat/completions`, { ...chat, model }, token);
  assert.equal((await llama('meta/llama-3.3-70b-instruct-maas')).json.choices[0].message.content, 'You said: Hello!');
  assert.equal((await llama('google/gemini-2.5-flash')).json.usage.total_tokens, 13);
  assert.equal((await llama('llama-3.3-70b-instruct-maas')).status, 404);
  assert.equal((await llama(undefined, '12345')).status, 200);
});

test('Cloud Storage, batch and tuning jobs', async () => {
  const token = { authorization: 'Bearer given-token' };
  const at = '/v1/projects/proj/locations/us-central1';
  const rows = ['one', 'two'].map((text) => JSON.stringify({ request: { contents: [user(text)] } })).join('\n');
  const made = await post('/upload/storage/v1/b/files/o?uploadType=media&name=in%2Fa.jsonl', `${rows}\n`, { ...token, 'content-type': 'application/jsonl' });
  assert.deepEqual([made.json.bucket, made.json.name], ['files', 'in/a.jsonl']);
  const job = await post(`${at}/batchPredictionJobs`, { displayName: 'j', model: `publishers/google/models/${model}`,
    inputConfig: { instancesFormat: 'jsonl', gcsSource: { uris: ['gs://files/in/a.jsonl'] } },
    outputConfig: { predictionsFormat: 'jsonl', gcsDestination: { outputUriPrefix: 'gs://files/out' } } }, token);
  assert.equal(job.json.state, 'JOB_STATE_PENDING');
  const read = async () => (await post(`/v1/${job.json.name}`, undefined, token, 'GET')).json;
  let state = await read();
  while (state.state !== 'JOB_STATE_SUCCEEDED') {
    await new Promise((done) => setTimeout(done, 20));
    state = await read();
  }
  const file = `${state.outputInfo.gcsOutputDirectory.replace('gs://files/', '')}/predictions.jsonl`;
  const output = await post(`/storage/v1/b/files/o/${encodeURIComponent(file)}?alt=media`, undefined, token, 'GET');
  assert.deepEqual(output.text.trim().split('\n').map((l) => JSON.parse(l).response.candidates[0].content.parts[0].text), ['You said: one', 'You said: two']);
  assert.equal((await post(`${at}/batchPredictionJobs?pageSize=20&pageToken=`, undefined, token, 'GET')).json.batchPredictionJobs.length, 1);
  assert.equal((await post(`/v1/${job.json.name}:cancel`, '{}', token)).status, 400);
  const tuning = await post(`${at}/tuningJobs`, { baseModel: model, supervisedTuningSpec: { trainingDatasetUri: 'gs://files/in/a.jsonl' } }, token);
  assert.equal((await post(`/v1/${tuning.json.name}`, undefined, token, 'GET')).json.baseModel, model);
  assert.equal((await post('/storage/v1/b/files/o/in%2Fa.jsonl', undefined, token, 'DELETE')).status, 204);
});
