import { classifyErrorObject } from '../../attempt/classify-response.ts';
import type { Failure } from '../../attempt/failure.ts';
import { readProviderError } from '../../attempt/read-provider-error.ts';
import { EventSplitter } from '../sse/event-splitter.ts';

const DATA_PREFIX = 'data:';
const DONE = '[DONE]';
/** Choices beyond this many share one bit: `n` is rarely more than one. */
const LAST_BIT = 30;

interface Choice {
  index?: unknown;
  delta?: unknown;
  text?: unknown;
  finish_reason?: unknown;
  /** OpenRouter tells of a failure of the provider behind it here, with a status of 200 and a finish reason of `error`. */
  error?: unknown;
}

/**
 * Reads a stream of OpenAI's Chat Completions or Completions API while its bytes pass: tells whether content has come, whether the answer is
 * whole, and what is wrong. Success is a finish reason for every choice and no error event; `[DONE]` proves nothing, since vLLM sends it
 * after an error, too.
 */
export class OpenAIStreamReader {
  /** A content or tool byte has come, or the answer ended without any. */
  hasContent = false;
  /** `[DONE]` has come. */
  isDone = false;
  failure: Failure | undefined;
  readonly #events: EventSplitter;
  #seen = 0;
  #finished = 0;

  constructor(maxEventBytes: number) {
    this.#events = new EventSplitter(maxEventBytes);
  }

  /** Every choice that began has ended with a finish reason. */
  get isWhole(): boolean {
    return this.#seen !== 0 && this.#seen === this.#finished;
  }

  /** Takes the next bytes; returns those that may be given on: whole events, up to a failure. What follows `[DONE]` is left out. */
  push(chunk: Buffer): Buffer {
    const passed = this.#events.push(chunk, this.#readEvent);
    if (this.#events.overflowed) this.#fail('event_too_large', 'an event of the stream is larger than the limit');
    return passed;
  }

  /** What the end of the bytes means: `undefined` for a whole answer. */
  end(): Failure | undefined {
    if (this.failure === undefined && !this.isWhole)
      this.#fail('stream_truncated', 'the stream ended before a finish reason came');
    return this.failure;
  }

  /** Returns false to stop in front of this event. */
  readonly #readEvent = (bytes: Buffer, start: number, end: number, oneLine: boolean): boolean => {
    if (oneLine && isPlainData(bytes, start, end))
      return this.#readData(bytes.toString('latin1', start + 6, end - 2), false, true);
    const text = bytes.toString('utf8', start, end);
    // A byte order mark may stand before the first line.
    const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
    const data = lines.filter((line) => line.startsWith(DATA_PREFIX)).map((line) => line.slice(DATA_PREFIX.length).trim());
    if (data.length === 0) return true;
    return this.#readData(
      data.join('\n'),
      lines.some((line) => /^event:\s*error\s*$/.test(line)),
      false,
    );
  };

  #readData(data: string, isErrorEvent: boolean, isLatin1: boolean): boolean {
    if (data === '') return true;
    if (data === DONE) {
      if (!this.isWhole) return this.#fail('stream_truncated', 'the stream said [DONE] before a finish reason came');
      this.isDone = true;
      return true;
    }
    let event: unknown;
    try {
      event = JSON.parse(data);
    } catch {
      return this.#fail('malformed_event', 'an event of the stream is not valid JSON');
    }
    if (typeof event !== 'object' || event === null)
      return this.#fail('malformed_event', 'an event of the stream is not a JSON object');
    const { choices, error } = event as { choices?: unknown; error?: unknown };
    if (isErrorEvent || (error !== undefined && error !== null)) {
      return this.#failAsTold(data, isLatin1);
    }
    if (!Array.isArray(choices)) return true;
    for (const choice of choices as (Choice | null)[]) {
      if (choice === null || typeof choice !== 'object') continue;
      if (choice.error !== undefined && choice.error !== null)
        return this.#failAsTold(JSON.stringify({ error: choice.error }), isLatin1);
      this.#readChoice(choice);
    }
    return true;
  }

  #readChoice(choice: Choice): void {
    const bit = 1 << Math.min(typeof choice.index === 'number' ? choice.index : 0, LAST_BIT);
    this.#seen |= bit;
    if (typeof choice.finish_reason === 'string') {
      this.#finished |= bit;
      this.hasContent = true;
    }
    if (!this.hasContent) this.hasContent = isFilled(choice.text) || hasContent(choice.delta);
  }

  #failAsTold(data: string, isLatin1: boolean): false {
    const words = isLatin1 ? Buffer.from(data, 'latin1').toString('utf8') : data;
    this.failure = classifyErrorObject(readProviderError(words) ?? { message: 'error event', type: '', code: '' });
    return false;
  }

  #fail(code: string, message: string): false {
    this.failure ??= { class: 'Malformed', code, message };
    return false;
  }
}

/**
 * The usual event: `data: {…}` and two line feeds, with no more white space than that. It is read as Latin-1, which costs a third of UTF-8: what is looked for is structure, and
 * JSON's structure is ASCII. Only an error's words are read again as what they are.
 */
function isPlainData(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] !== 0x64 || bytes[start + 4] !== 0x3a || bytes[start + 5] !== 0x20 || bytes[end - 2] !== 0x0a) return false;
  return (bytes[start + 6] as number) > 0x20 && (bytes[end - 3] as number) > 0x20;
}

/** Anything in a delta but its role: text, tool calls, a refusal, reasoning under whichever name. */
function hasContent(delta: unknown): boolean {
  if (typeof delta !== 'object' || delta === null) return false;
  for (const [name, value] of Object.entries(delta)) if (name !== 'role' && isFilled(value)) return true;
  return false;
}

function isFilled(value: unknown): boolean {
  if (typeof value === 'string' || Array.isArray(value)) return value.length > 0;
  return typeof value === 'object' && value !== null;
}
