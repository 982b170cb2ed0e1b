/* Calls of models that do something else than chat. */
import {
  base,
  curl,
  full,
  jsOpenAI,
  jsPortkey,
  JS_OPENAI,
  JS_PORTKEY,
  KEY,
  pyOpenAI,
  pyPortkey,
  PY_OPENAI,
  PY_PORTKEY,
  q,
  s,
  sh,
  type Draft,
  type SnippetTarget,
} from './snippet-parts';

/** The same call in curl and in both SDKs that everybody has. */
function three(t: SnippetTarget, path: string, body: string, python: string, javascript: string): Draft[] {
  return [
    { id: 'curl', label: 'cURL', language: 'bash', code: curl(t, path, body) },
    { id: 'openai-python', label: 'OpenAI Python', language: 'python', install: PY_OPENAI, code: pyOpenAI(t, python) },
    { id: 'openai-js', label: 'OpenAI JS', language: 'javascript', install: JS_OPENAI, code: jsOpenAI(t, javascript) },
    { id: 'portkey-python', label: 'Portkey Python', language: 'python', install: PY_PORTKEY, code: pyPortkey(t, python) },
    { id: 'portkey-js', label: 'Portkey JS', language: 'javascript', install: JS_PORTKEY, code: jsPortkey(t, javascript) },
  ];
}

export const embedding = (t: SnippetTarget): Draft[] =>
  three(
    t,
    '/embeddings',
    `{
    "model": ${q(full(t))},
    "input": "The quick brown fox"
  }`,
    `response = client.embeddings.create(
    model=${q(full(t))},
    input="The quick brown fox",
)
print(len(response.data[0].embedding))`,
    `const response = await client.embeddings.create({
  model: ${s(full(t))},
  input: 'The quick brown fox',
});
console.log(response.data[0].embedding.length);`,
  );

export const image = (t: SnippetTarget): Draft[] =>
  three(
    t,
    '/images/generations',
    `{
    "model": ${q(full(t))},
    "prompt": "A lock gate at dawn, watercolour"
  }`,
    `response = client.images.generate(
    model=${q(full(t))},
    prompt="A lock gate at dawn, watercolour",
)
print(response.data[0].url or response.data[0].b64_json[:60])`,
    `const response = await client.images.generate({
  model: ${s(full(t))},
  prompt: 'A lock gate at dawn, watercolour',
});
console.log(response.data[0].url ?? response.data[0].b64_json.slice(0, 60));`,
  );

export const speech = (t: SnippetTarget): Draft[] => [
  {
    id: 'curl',
    label: 'cURL',
    language: 'bash',
    code: `${curl(
      t,
      '/audio/speech',
      `{
    "model": ${q(full(t))},
    "voice": "alloy",
    "input": "Hello!"
  }`,
    )} \\
  --output hello.mp3`,
  },
  {
    id: 'openai-python',
    label: 'OpenAI Python',
    language: 'python',
    install: PY_OPENAI,
    code: pyOpenAI(
      t,
      `response = client.audio.speech.create(
    model=${q(full(t))},
    voice="alloy",
    input="Hello!",
)
response.write_to_file("hello.mp3")`,
    ),
  },
  {
    id: 'openai-js',
    label: 'OpenAI JS',
    language: 'javascript',
    install: JS_OPENAI,
    code: jsOpenAI(
      t,
      `const response = await client.audio.speech.create({
  model: ${s(full(t))},
  voice: 'alloy',
  input: 'Hello!',
});
await writeFile('hello.mp3', Buffer.from(await response.arrayBuffer()));`,
      '',
      "import { writeFile } from 'node:fs/promises';\n",
    ),
  },
];

/* Not -F: curl would take what follows the @ of a model string for the name of a file. */
export const transcription = (t: SnippetTarget): Draft[] => [
  {
    id: 'curl',
    label: 'cURL',
    language: 'bash',
    code: `curl ${base(t)}/audio/transcriptions \\
  -H "Authorization: Bearer $${KEY}" \\
  --form-string model=${sh(full(t))} \\
  -F file=@speech.mp3`,
  },
  {
    id: 'openai-python',
    label: 'OpenAI Python',
    language: 'python',
    install: PY_OPENAI,
    code: pyOpenAI(
      t,
      `with open("speech.mp3", "rb") as audio:
    response = client.audio.transcriptions.create(model=${q(full(t))}, file=audio)
print(response.text)`,
    ),
  },
  {
    id: 'openai-js',
    label: 'OpenAI JS',
    language: 'javascript',
    install: JS_OPENAI,
    code: jsOpenAI(
      t,
      `const response = await client.audio.transcriptions.create({
  model: ${s(full(t))},
  file: createReadStream('speech.mp3'),
});
console.log(response.text);`,
      '',
      "import { createReadStream } from 'node:fs';\n",
    ),
  },
];

export const completion = (t: SnippetTarget): Draft[] =>
  three(
    t,
    '/completions',
    `{
    "model": ${q(full(t))},
    "prompt": "Once upon a time",
    "max_tokens": 64
  }`,
    `response = client.completions.create(
    model=${q(full(t))},
    prompt="Once upon a time",
    max_tokens=64,
)
print(response.choices[0].text)`,
    `const response = await client.completions.create({
  model: ${s(full(t))},
  prompt: 'Once upon a time',
  max_tokens: 64,
});
console.log(response.choices[0].text);`,
  );

export const moderation = (t: SnippetTarget): Draft[] =>
  three(
    t,
    '/moderations',
    `{
    "model": ${q(full(t))},
    "input": "Some text to look at"
  }`,
    `response = client.moderations.create(
    model=${q(full(t))},
    input="Some text to look at",
)
print(response.results[0].flagged)`,
    `const response = await client.moderations.create({
  model: ${s(full(t))},
  input: 'Some text to look at',
});
console.log(response.results[0].flagged);`,
  );

export const rerank = (t: SnippetTarget): Draft[] => [
  {
    id: 'curl',
    label: 'cURL',
    language: 'bash',
    code: curl(
      t,
      '/rerank',
      `{
    "model": ${q(full(t))},
    "query": "What opens a lock?",
    "documents": ["A key.", "A gate.", "Rain."]
  }`,
    ),
  },
];
