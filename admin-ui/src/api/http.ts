/* The only way out of the page. Every call goes to the admin API of the host that served the page; what a call carries to say who
 * asks comes from auth/session.ts. */
import { authorize, ended } from '~/auth/session';
import { errorFrom, UnreachableError } from './errors';

export type Query = Record<string, string | number | boolean | undefined>;

export interface CallOptions {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
}

export function withQuery(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') params.set(name, String(value));
  const text = params.toString();
  return text === '' ? path : `${path}?${text}`;
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** One request and its parsed JSON answer. ApiError: it was refused; UnreachableError: nobody answered. */
export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  const headers: Record<string, string> = { ...authorize() };
  const init: RequestInit = { method, headers, credentials: 'same-origin' };
  if (options.body !== undefined) {
    headers['content-type'] = 'application/json';
    init.body = JSON.stringify(options.body);
  }
  if (options.signal) init.signal = options.signal;
  let response: Response;
  try {
    // eslint-disable-next-line no-restricted-globals
    response = await fetch(withQuery(`/v1${path}`, options.query), init);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new UnreachableError();
  }
  const body = await bodyOf(response);
  if (response.ok) return body as T;
  if (response.status === 401) ended();
  throw errorFrom(response.status, body, response.headers.get('x-request-id') ?? undefined);
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> =>
  call<T>('GET', path, { ...(query && { query }), ...(signal && { signal }) });
export const post = <T>(path: string, body: unknown, query?: Query): Promise<T> =>
  call<T>('POST', path, { body, ...(query && { query }) });
export const put = <T>(path: string, body: unknown, query?: Query): Promise<T> =>
  call<T>('PUT', path, { body, ...(query && { query }) });
export const del = <T>(path: string, query?: Query, body?: unknown): Promise<T> =>
  call<T>('DELETE', path, { ...(query && { query }), ...(body !== undefined && { body }) });

/** A path segment; slugs may hold anything. */
export const segment = (text: string): string => encodeURIComponent(text);
