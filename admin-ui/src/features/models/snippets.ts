/* Calls that are ready to be copied: for this model, this gateway, and with a name where the key belongs. Each runs as it stands once
 * SLUICE_API_KEY is set; tests/ui runs every one. */
import type { Draft, Snippet, SnippetTarget, Way } from './snippet-parts';
import { byConfig, byHeader, byModel } from './snippets-chat';
import { completion, embedding, image, moderation, rerank, speech, transcription } from './snippets-other';

const named = (way: Way, drafts: Draft[]): Snippet[] => drafts.map((draft) => ({ ...draft, way }));

/** Whether audio goes in (then it is written down) or comes out. */
const listens = (t: SnippetTarget): boolean => t.input.includes('audio');

/** Every snippet of a model. Empty: its kind of call has no client that can be shown (realtime, video). */
export function snippetsOf(t: SnippetTarget): Snippet[] {
  switch (t.type) {
    case 'embedding':
      return named('model', embedding(t));
    case 'image':
      return named('model', image(t));
    case 'audio':
      return named('model', listens(t) ? transcription(t) : speech(t));
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
      return [...named('model', byModel(t)), ...named('header', byHeader(t)), ...named('config', byConfig(t))];
  }
}
