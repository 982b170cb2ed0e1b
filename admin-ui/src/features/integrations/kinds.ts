/* What a provider offers, by the operations of its catalog row, and in which order providers are shown. */
import type { AiProvider } from '~/api/types';
import type { Option } from '~/ui/choice';

export type Kind = 'all' | 'chat' | 'embeddings' | 'images' | 'audio' | 'rerank' | 'own';

export const KINDS: Option<Kind>[] = [
  { id: 'all', label: 'Anything' },
  { id: 'chat', label: 'Chat' },
  { id: 'embeddings', label: 'Embeddings' },
  { id: 'images', label: 'Images' },
  { id: 'audio', label: 'Audio' },
  { id: 'rerank', label: 'Rerank' },
  { id: 'own', label: 'On your own host' },
];

export function matchesKind(provider: AiProvider, kind: Kind): boolean {
  if (kind === 'all') return true;
  if (kind === 'own') return provider.base_url === '';
  return provider.operations.some((operation) => operation === kind || operation.startsWith(`${kind}_`));
}

/* Those that most people look for come first, the others by name. */
const FIRST = [
  'openai',
  'anthropic',
  'azure-openai',
  'bedrock',
  'google',
  'vertex-ai',
  'azure-ai',
  'mistral-ai',
  'groq',
  'cohere',
  'deepseek',
  'x-ai',
  'together-ai',
  'fireworks-ai',
  'openrouter',
  'ollama',
];

const place = (provider: AiProvider): number => {
  if (provider.status === 'retired') return FIRST.length + 1;
  const at = FIRST.indexOf(provider.id);
  return at < 0 ? FIRST.length : at;
};

export const inOrder = (a: AiProvider, b: AiProvider): number =>
  place(a) - place(b) || a.name.localeCompare(b.name, 'en', { sensitivity: 'base' });
