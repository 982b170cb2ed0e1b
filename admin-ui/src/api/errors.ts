/* What the admin API says when it refuses: {"success":false,"message","data":{"message","errorCode","code"}}. A refusal of one
 * field reads "field: rule", and the field may be a path ("usage_limits.credit_limit"). */

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** Path of the field that was refused, as the API spells it; undefined when it is none in particular. */
  readonly field: string | undefined;
  /** What the field must be, or the whole message. */
  readonly rule: string;
  readonly requestId: string | undefined;

  constructor(status: number, message: string, code: string, requestId?: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    const split = splitField(message);
    this.field = status < 500 ? split.field : undefined;
    this.rule = this.field === undefined ? message : split.rule;
  }
}

/** No answer at all: the network, or a control plane that is away. */
export class UnreachableError extends Error {
  constructor() {
    super('The control plane does not answer.');
    this.name = 'UnreachableError';
  }
}

const FIELD = /^([a-z][a-z0-9_]*(?:\.[A-Za-z0-9_-]+|\[\d+\])*): (.+)$/s;

export function splitField(message: string): { field: string | undefined; rule: string } {
  const match = FIELD.exec(message);
  return match ? { field: match[1], rule: match[2] ?? '' } : { field: undefined, rule: message };
}

interface Envelope {
  message?: unknown;
  data?: { message?: unknown; code?: unknown; errorCode?: unknown };
  error?: { message?: unknown; code?: unknown };
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** From a reply that is no 2xx; `body` is what it held, parsed if that was possible. The gateway's shape is understood, too. */
export function errorFrom(status: number, body: unknown, requestId?: string): ApiError {
  const envelope = (typeof body === 'object' && body !== null ? body : {}) as Envelope;
  const message = text(envelope.message) ?? text(envelope.data?.message) ?? text(envelope.error?.message) ?? `HTTP ${status}`;
  const code = text(envelope.data?.code) ?? text(envelope.error?.code) ?? text(envelope.data?.errorCode) ?? '';
  return new ApiError(status, message, code, requestId);
}

export function messageOf(error: unknown): string {
  if (error instanceof ApiError && error.field !== undefined) return `${error.field}: ${error.rule}`;
  return error instanceof Error ? error.message : 'Something went wrong.';
}

export const isForbidden = (error: unknown): boolean => error instanceof ApiError && error.status === 403;
export const isMissing = (error: unknown): boolean => error instanceof ApiError && error.status === 404;
