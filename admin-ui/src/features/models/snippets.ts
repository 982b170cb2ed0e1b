/* Calls that are ready to be copied: for this model, this gateway, and with a name where the key belongs. Each runs as it stands once
 * SLUICE_API_KEY is set; tests/ui runs every one. */
import type { Draft, Snippet, SnippetTarget, Way } from './snippet-parts';
import { byConfig, byHeader, byModel } from './snippets-chat';
import { completion, embedding, image, moderation, rerank, speech, transcription } from './snippets-other';

const named = (way: Way, drafts: Draft[]): Snippet[] => drafts.map((draft) => ({ ...draft, way }));

const LISTENERS = /whisper|transcri|\basr\b|speech-to-text/i;

/** Audio models answer three kinds of calls. The catalog seldom says which; what they are paid for, and their names, do. */
export function audioUse(t: SnippetTarget): 'speech' | 'transcription' | 'chat' {
  if (t.output.includes('audio')) return 'speech';
  if (t.input.includes('audio')) return 'transcription';
  const hears = t.units.some((unit) => unit.startsWith('audio_input_'));
  const speaks = t.units.some((unit) => unit.startsWith('audio_output_'));
  if (hears && speaks) return 'chat';
  return hears || LISTENERS.test(t.model) ? 'transcription' : 'speech';
}

const chat = (t: SnippetTarget): Snippet[] => [
  ...named('model', byModel(t)),
  ...named('header', byHeader(t)),
  ...named('config', byConfig(t)),
];

function audio(t: SnippetTarget): Snippet[] {
  const use = audioUse(t);
  return use === 'chat' ? chat(t) : named('model', use === 'speech' ? speech(t) : transcription(t));
}

/** Every snippet of a model. Empty: its kind of call has no client that can be shown (realtime, video). */
export function snippetsOf(t: SnippetTarget): Snippet[] {
  switch (t.type) {
    case 'embedding':
      return named('model', embedding(t));
    case 'image':
      return named('model', image(t));
    case 'audio':
      return audio(t);
    case 'completion':
      return named('model', completion(t));
    case 'moderation':
      return named('model', moderation(t));
    case 'rerank':
      return named('model', rerank(t));
    case 'realtime':
    case 'video':
    case 'ocr':
      return [];
    case 'chat':
    case undefined:
      return chat(t);
  }
}
