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
    const text = bytes.toString('utf8', start, end);
    if (oneLine && text.startsWith(DATA_PREFIX)) return this.#readData(text.slice(DATA_PREFIX.length).trim(), false);
    const lines = text.split(/\r?\n/);
    const data = lines.filter((line) => line.startsWith(DATA_PREFIX)).map((line) => line.slice(DATA_PREFIX.length).trim());
    if (data.length === 0) return true;
    return this.#readData(
      data.join('\n'),
      lines.some((line) => /^event:\s*error\s*$/.test(line)),
    );
  };

  #readData(data: string, isErrorEvent: boolean): boolean {
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
      this.failure = classifyErrorObject(readProviderError(data) ?? { message: 'error event', type: '', code: '' });
      return false;
    }
    if (Array.isArray(choices)) for (const choice of choices) this.#readChoice(choice as Choice | null);
    return true;
  }

  #readChoice(choice: Choice | null): void {
    if (choice === null || typeof choice !== 'object') return;
    const bit = 1 << Math.min(typeof choice.index === 'number' ? choice.index : 0, LAST_BIT);
    this.#seen |= bit;
    if (typeof choice.finish_reason === 'string') {
      this.#finished |= bit;
      this.hasContent = true;
    }
    if (!this.hasContent) this.hasContent = isFilled(choice.text) || hasContent(choice.delta);
  }

  #fail(code: string, message: string): false {
    this.failure ??= { class: 'Malformed', code, message };
    return false;
  }
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
