/** The parts of a provider's error that tell its class. Every field may be missing: providers send what they like. */
export interface ProviderError {
  message: string;
  type: string;
  code: string;
  /** OpenRouter and others put an HTTP status into the body of a 200. */
  numericCode?: number;
}

/** Long error pages are cut: a message ends up in logs, status and evidence. */
const MAX_MESSAGE = 300;
/** So are codes: the longest real ones have some 50 characters, and evidence that is too long would make a whole report invalid. */
const MAX_CODE = 100;

/**
 * Reads `{"error": {...}}`, `{"error": "text"}`, `{"detail": …}`, `{"message": …}` and a bare array around them (Gemini's compatible API).
 * Returns `undefined` when the body is no JSON object: then it is a page of something that stands before the provider.
 */
export function readProviderError(body: string): ProviderError | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (Array.isArray(parsed)) parsed = parsed[0];
  if (!isRecord(parsed)) return undefined;
  const error = parsed.error ?? parsed.detail ?? parsed;
  if (typeof error === 'string') return { message: cut(error), type: name(parsed.type), code: name(parsed.code) };
  if (!isRecord(error)) return { message: cut(JSON.stringify(error) ?? ''), type: '', code: '' };
  const numeric = typeof error.code === 'number' ? error.code : undefined;
  return {
    message: cut(text(error.message) || JSON.stringify(error)),
    type: name(error.type),
    code: name(error.code) || name(error.status),
    ...(numeric === undefined ? {} : { numericCode: numeric }),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function name(value: unknown): string {
  return text(value).slice(0, MAX_CODE);
}

function cut(message: string): string {
  return message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message;
}
