/* Up to four conversations side by side: one prompt goes to all of them, each goes on with its own answers. */
import { useEffect, useRef, useState } from 'react';
import { messageOf } from '~/api/errors';
import { chat, type Figures, type Settings, type Turn } from './chat';

export interface Exchange {
  prompt: string;
  answer: string;
  figures: Figures;
  error?: string;
  running: boolean;
}

export type Conversations = Record<string, Exchange[]>;

const turnsOf = (exchanges: readonly Exchange[]): Turn[] =>
  exchanges
    .filter((one) => one.error === undefined && one.answer !== '')
    .flatMap((one) => [
      { role: 'user' as const, text: one.prompt },
      { role: 'assistant' as const, text: one.answer },
    ]);

interface SendOptions {
  gateway: string;
  key: string;
  models: readonly string[];
  prompt: string;
  settings: Settings;
}

export function useConversations() {
  const [conversations, setConversations] = useState<Conversations>({});
  const stops = useRef(new Map<string, AbortController>());
  useEffect(() => {
    const running = stops.current;
    return () => running.forEach((stop) => stop.abort());
  }, []);

  const patch = (model: string, change: (last: Exchange) => Partial<Exchange>) =>
    setConversations((old) => {
      const exchanges = old[model] ?? [];
      const last = exchanges.at(-1);
      return last === undefined ? old : { ...old, [model]: [...exchanges.slice(0, -1), { ...last, ...change(last) }] };
    });

  const ask = async (model: string, before: readonly Exchange[], { gateway, key, prompt, settings }: SendOptions) => {
    const stop = new AbortController();
    stops.current.set(model, stop);
    try {
      await chat({
        gateway,
        key,
        model,
        settings,
        turns: [...turnsOf(before), { role: 'user', text: prompt }],
        signal: stop.signal,
        onText: (piece) => patch(model, (last) => ({ answer: last.answer + piece })),
        onFigures: (figures) => patch(model, () => ({ figures })),
      });
      patch(model, () => ({ running: false }));
    } catch (error) {
      patch(model, () => ({ running: false, ...(!stop.signal.aborted && { error: messageOf(error) }) }));
    } finally {
      if (stops.current.get(model) === stop) stops.current.delete(model);
    }
  };

  const send = (options: SendOptions) => {
    const fresh: Exchange = { prompt: options.prompt, answer: '', figures: {}, running: true };
    const before = conversations;
    setConversations((old) => ({
      ...old,
      ...Object.fromEntries(options.models.map((model) => [model, [...(old[model] ?? []), fresh]])),
    }));
    for (const model of options.models) void ask(model, before[model] ?? [], options);
  };

  const stop = () => stops.current.forEach((one) => one.abort());
  const clear = () => {
    stop();
    setConversations({});
  };
  const running = Object.values(conversations).some((exchanges) => exchanges.at(-1)?.running === true);
  return { conversations, send, stop, clear, running };
}
