/* One streamed chat call to the gateway, and what can be told about it. The gateway is another origin: it must list the console's in
 * cors_origins (the quickstart does). */
import { errorFrom, type ApiError } from '~/api/errors';
import { SseParser } from '~/lib/sse';

export interface Turn {
  role: 'user' | 'assistant';
  text: string;
}

export interface Settings {
  system: string;
  temperature: string; // empty: the model's own
  maxTokens: string;
}

export interface Usage {
  input: number;
  output: number;
  cached: number;
}

export interface Figures {
  firstMs?: number;
  totalMs?: number;
  usage?: Usage;
  /** Nano-USD as the gateway tells them; absent: it did not. */
  costNanousd?: number;
}

export interface ChatCall {
  gateway: string;
  key: string;
  model: string;
  turns: readonly Turn[];
  settings: Settings;
  signal: AbortSignal;
  onText: (piece: string) => void;
  onFigures: (figures: Figures) => void;
}

export class GatewayAway extends Error {
  constructor(gateway: string) {
    super(`${gateway} does not answer this page. The gateway must run, and list ${window.location.origin} in cors_origins.`);
    this.name = 'GatewayAway';
  }
}

export function bodyOf(model: string, turns: readonly Turn[], settings: Settings): Record<string, unknown> {
  const system = settings.system.trim();
  return {
    model,
    stream: true,
    stream_options: { include_usage: true },
    messages: [
      ...(system === '' ? [] : [{ role: 'system', content: system }]),
      ...turns.map(({ role, text }) => ({ role, content: text })),
    ],
    ...(settings.temperature.trim() !== '' && { temperature: Number(settings.temperature) }),
    ...(settings.maxTokens.trim() !== '' && { max_tokens: Number(settings.maxTokens) }),
  };
}

interface Chunk {
  choices?: { delta?: { content?: string | null; reasoning_content?: string | null }; finish_reason?: string | null }[];
  usage?: {
    prompt_tokens?: number;
    completion_tokens?: number;
    prompt_tokens_details?: { cached_tokens?: number } | null;
  } | null;
  error?: unknown;
}

/** What an event of the stream says. ApiError: the stream tells of a fault. */
export function readChunk(data: string): { text: string; usage?: Usage } {
  const chunk = JSON.parse(data) as Chunk;
  if (chunk.error !== undefined) throw errorFrom(502, chunk);
  const text = chunk.choices?.map((choice) => choice.delta?.content ?? '').join('') ?? '';
  const usage = chunk.usage;
  if (usage === null || usage === undefined) return { text };
  return {
    text,
    usage: {
      input: usage.prompt_tokens ?? 0,
      output: usage.completion_tokens ?? 0,
      cached: usage.prompt_tokens_details?.cached_tokens ?? 0,
    },
  };
}

async function refusal(response: Response): Promise<ApiError> {
  const text = await response.text();
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    /* no JSON: the text is what there is */
  }
  return errorFrom(response.status, body, response.headers.get('x-request-id') ?? undefined);
}

async function send({ gateway, key, model, turns, settings, signal }: ChatCall): Promise<Response> {
  try {
    // eslint-disable-next-line no-restricted-globals -- the gateway, not the admin API
    return await fetch(`${gateway}/v1/chat/completions`, {
      method: 'POST',
      credentials: 'omit',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(bodyOf(model, turns, settings)),
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new GatewayAway(gateway);
  }
}

/** Resolves when the answer is complete. Errors: ApiError, GatewayAway, AbortError. */
export async function chat(call: ChatCall): Promise<void> {
  const started = performance.now();
  const response = await send(call);
  if (!response.ok || response.body === null) throw await refusal(response);
  const cost = response.headers.get('x-sluice-cost-nanousd');
  const figures: Figures = cost === null ? {} : { costNanousd: Number(cost) };
  const parser = new SseParser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    for (const data of parser.push(value)) {
      if (data === '[DONE]') continue;
      const { text, usage } = readChunk(data);
      if (usage) figures.usage = usage;
      if (text === '') continue;
      figures.firstMs ??= performance.now() - started;
      call.onText(text);
    }
    call.onFigures({ ...figures });
  }
  call.onFigures({ ...figures, totalMs: performance.now() - started });
}

/** Nano-USD by the catalog's prices, rounded up once, or undefined if one that is needed is unknown. */
export function costOf(usage: Usage, prices: Record<string, number> | undefined): number | undefined {
  const input = prices?.input_token;
  const output = prices?.output_token;
  if (input === undefined || (output === undefined && usage.output > 0)) return undefined;
  const cached = prices?.cache_read_token ?? input;
  const pico =
    BigInt(usage.input - usage.cached) * BigInt(input) +
    BigInt(usage.cached) * BigInt(cached) +
    BigInt(usage.output) * BigInt(output ?? 0);
  return Number((pico + 999n) / 1000n);
}
