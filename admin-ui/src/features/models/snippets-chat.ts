/* Chat calls, by each way to name the model and with each client. */
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
  within,
  type Draft,
  type SnippetTarget,
} from './snippet-parts';

const pyChat = (model: string): string => `response = client.chat.completions.create(
    model=${q(model)},
    messages=[{"role": "user", "content": "Hello!"}],
)
print(response.choices[0].message.content)`;

const jsChat = (model: string): string => `const response = await client.chat.completions.create({
  model: ${s(model)},
  messages: [{ role: 'user', content: 'Hello!' }],
});
console.log(response.choices[0].message.content);`;

const chatBody = (model: string): string => `{
    "model": ${q(model)},
    "messages": [{"role": "user", "content": "Hello!"}]
  }`;

/* --- chat, by the model string ---------------------------------------------------------------------------------------------------- */

function anthropic(t: SnippetTarget): Draft[] {
  return [
    {
      id: 'anthropic-python',
      label: 'Anthropic Python',
      language: 'python',
      install: 'pip install anthropic',
      code: `import os
from anthropic import Anthropic

client = Anthropic(
    base_url="${t.gateway}",
    auth_token=os.environ["${KEY}"],
)

message = client.messages.create(
    model=${q(full(t))},
    max_tokens=1024,
    messages=[{"role": "user", "content": "Hello!"}],
)
print(message.content[0].text)`,
    },
    {
      id: 'anthropic-js',
      label: 'Anthropic JS',
      language: 'javascript',
      install: 'npm install @anthropic-ai/sdk',
      code: `import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic({
  baseURL: '${t.gateway}',
  authToken: process.env.${KEY},
});

const message = await client.messages.create({
  model: ${s(full(t))},
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Hello!' }],
});
console.log(message.content[0].text);`,
    },
    {
      id: 'claude-code',
      label: 'Claude Code',
      language: 'bash',
      install: 'npm install -g @anthropic-ai/claude-code',
      code: `export ANTHROPIC_BASE_URL=${t.gateway}
export ANTHROPIC_AUTH_TOKEN=$${KEY}
export ANTHROPIC_MODEL=${sh(full(t))}
export ANTHROPIC_DEFAULT_HAIKU_MODEL=${sh(full(t))}

claude`,
    },
  ];
}

function frameworks(t: SnippetTarget): Draft[] {
  return [
    {
      id: 'ai-sdk',
      label: 'Vercel AI SDK',
      language: 'javascript',
      install: 'npm install ai @ai-sdk/openai-compatible',
      code: `import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText } from 'ai';

const sluice = createOpenAICompatible({
  name: 'sluice',
  baseURL: '${base(t)}',
  apiKey: process.env.${KEY},
});

const { text } = await generateText({
  model: sluice(${s(full(t))}),
  prompt: 'Hello!',
});
console.log(text);`,
    },
    {
      id: 'langchain-python',
      label: 'LangChain Python',
      language: 'python',
      install: 'pip install langchain-openai',
      code: `import os
from langchain_openai import ChatOpenAI

model = ChatOpenAI(
    model=${q(full(t))},
    base_url="${base(t)}",
    api_key=os.environ["${KEY}"],
)
print(model.invoke("Hello!").content)`,
    },
    {
      id: 'langchain-js',
      label: 'LangChain JS',
      language: 'javascript',
      install: 'npm install @langchain/openai',
      code: `import { ChatOpenAI } from '@langchain/openai';

const model = new ChatOpenAI({
  model: ${s(full(t))},
  apiKey: process.env.${KEY},
  configuration: { baseURL: '${base(t)}' },
});
const answer = await model.invoke('Hello!');
console.log(answer.content);`,
    },
    {
      id: 'environment',
      label: 'Environment',
      language: 'bash',
      code: `# Tools and SDKs that speak to OpenAI or Portkey read these.
export OPENAI_BASE_URL=${base(t)}
export OPENAI_API_KEY=$${KEY}
export PORTKEY_BASE_URL=${base(t)}
export PORTKEY_API_KEY=$${KEY}

# The model's name: ${full(t)}`,
    },
  ];
}

export const byModel = (t: SnippetTarget): Draft[] => [
  { id: 'curl', label: 'cURL', language: 'bash', code: curl(t, '/chat/completions', chatBody(full(t))) },
  { id: 'openai-python', label: 'OpenAI Python', language: 'python', install: PY_OPENAI, code: pyOpenAI(t, pyChat(full(t))) },
  { id: 'openai-js', label: 'OpenAI JS', language: 'javascript', install: JS_OPENAI, code: jsOpenAI(t, jsChat(full(t))) },
  { id: 'portkey-python', label: 'Portkey Python', language: 'python', install: PY_PORTKEY, code: pyPortkey(t, pyChat(full(t))) },
  { id: 'portkey-js', label: 'Portkey JS', language: 'javascript', install: JS_PORTKEY, code: jsPortkey(t, jsChat(full(t))) },
  ...(t.kind === 'anthropic' ? anthropic(t) : []),
  ...frameworks(t),
];

/* --- chat, by the provider header ------------------------------------------------------------------------------------------------- */

export const byHeader = (t: SnippetTarget): Draft[] => [
  {
    id: 'curl',
    label: 'cURL',
    language: 'bash',
    code: curl(t, '/chat/completions', chatBody(t.model), [`"x-portkey-provider: @${t.provider}"`]),
  },
  {
    id: 'openai-python',
    label: 'OpenAI Python',
    language: 'python',
    install: 'pip install openai portkey-ai',
    code: pyOpenAI(
      t,
      pyChat(t.model),
      `\n    default_headers=createHeaders(provider="@${t.provider}"),`,
      'from portkey_ai import createHeaders\n',
    ),
  },
  {
    id: 'openai-js',
    label: 'OpenAI JS',
    language: 'javascript',
    install: 'npm install openai portkey-ai',
    code: jsOpenAI(
      t,
      jsChat(t.model),
      `\n  defaultHeaders: createHeaders({ provider: '@${t.provider}' }),`,
      "import { createHeaders } from 'portkey-ai';\n",
    ),
  },
  {
    id: 'portkey-python',
    label: 'Portkey Python',
    language: 'python',
    install: PY_PORTKEY,
    code: pyPortkey(t, pyChat(t.model), `\n    provider="@${t.provider}",`),
  },
  {
    id: 'portkey-js',
    label: 'Portkey JS',
    language: 'javascript',
    install: JS_PORTKEY,
    code: jsPortkey(t, jsChat(t.model), `\n  provider: '@${t.provider}',`),
  },
];

/* --- chat, by a config ------------------------------------------------------------------------------------------------------------ */

const oneTarget = (target: string): string => `{
  "strategy": { "mode": "single" },
  "targets": [${target}]
}`;

export const byConfig = (t: SnippetTarget): Draft[] => {
  const config = `{"strategy":{"mode":"single"},"targets":[{"override_params":{"model":${q(full(t))}}}]}`;
  const messages = '{"messages": [{"role": "user", "content": "Hello!"}]}';
  return [
    {
      id: 'config-model',
      label: 'Model in the target',
      language: 'json',
      code: oneTarget(`{ "override_params": { "model": ${q(full(t))} } }`),
    },
    {
      id: 'config-provider',
      label: 'Provider in the target',
      language: 'json',
      code: oneTarget(`{
    "provider": "@${t.provider}",
    "override_params": { "model": ${q(t.model)} }
  }`),
    },
    { id: 'config-virtual-key', label: 'Virtual key', language: 'json', code: oneTarget(`{ "virtual_key": "${t.provider}" }`) },
    {
      id: 'curl',
      label: 'cURL',
      language: 'bash',
      code: curl(t, '/chat/completions', messages, [`'x-portkey-config: ${within(config)}'`]),
    },
    {
      id: 'portkey-python',
      label: 'Portkey Python',
      language: 'python',
      install: PY_PORTKEY,
      code: pyPortkey(
        t,
        `response = client.chat.completions.create(
    messages=[{"role": "user", "content": "Hello!"}],
)
print(response.choices[0].message.content)`,
        `
    config={
        "strategy": {"mode": "single"},
        "targets": [{"override_params": {"model": ${q(full(t))}}}],
    },`,
      ),
    },
    {
      id: 'portkey-js',
      label: 'Portkey JS',
      language: 'javascript',
      install: JS_PORTKEY,
      code: jsPortkey(
        t,
        `const response = await client.chat.completions.create({
  messages: [{ role: 'user', content: 'Hello!' }],
});
console.log(response.choices[0].message.content);`,
        `
  config: {
    strategy: { mode: 'single' },
    targets: [{ override_params: { model: ${s(full(t))} } }],
  },`,
      ),
    },
  ];
};
