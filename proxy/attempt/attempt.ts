import type { Transform } from 'node:stream';
import type { Dispatcher } from 'undici';
import { judgeAnswer } from '../formats/openai/judge-answer.ts';
import type { Operation } from '../formats/openai/operations.ts';
import { OpenAIStreamReader } from '../formats/openai/stream-reader.ts';
import type { Limits } from '../limits.ts';
import { answerHeaders, headersWithoutKey, REDACTED, withoutKey } from './answer-headers.ts';
import { bodyDecoder } from './body-decoder.ts';
import { classifyError } from './classify-error.ts';
import { classifyResponse } from './classify-response.ts';
import type { Failure } from './failure.ts';

/** How long an upstream connection may linger after `[DONE]`, to be used again, before it is cut. */
const LINGER = 1_000;
/** An error page is read so far: enough for every provider's error object. */
const ERROR_BODY_BYTES = 256 * 1024;
const DONE_EVENT = Buffer.from('data: [DONE]\n\n');
const EMPTY = Buffer.alloc(0);
/** Made once: the stack of an error costs more than an attempt's other work. */
const ATTEMPT_ENDED = new Error('the attempt has ended');

type Controller = Dispatcher.DispatchController;
type ResponseHeaders = Record<string, string | string[] | undefined>;

export interface AttemptRequest {
  origin: string;
  path: string;
  headers: string[];
  body: Buffer;
  operation: Operation;
  streaming: boolean;
  commit: 'FirstContent' | 'Complete';
  /** The provider key that is sent: only so that an answer which quotes it can be mended. */
  key: string | undefined;
  /** Longest waits, in milliseconds. `content` is the wait for the first content of a stream, or for a whole unary answer. */
  waits: { connect: number; content: number; idle: number; total: number };
  limits: Limits;
}

/** The client's side of a stream. */
export interface StreamSink {
  begin(headers: string[]): void;
  /** False: the client reads slowly, wait for the drain. */
  write(bytes: Buffer): boolean;
  onDrain(listener: () => void): void;
}

export type AttemptOutcome =
  | { kind: 'answer'; status: number; headers: string[]; body: Buffer }
  /** A whole stream has gone to the client; only the end is left. */
  | { kind: 'streamed'; firstContentMs: number }
  /** Nothing has gone to the client. */
  | { kind: 'failed'; failure: Failure }
  /** Content has gone to the client, and no more will come. */
  | { kind: 'broken'; failure: Failure; firstContentMs: number };

type Phase = 'connecting' | 'waiting' | 'flowing' | 'paused' | 'lingering' | 'settled';

/** One try of one request at one target. Everything that may take time is bounded by one timer, whose deadline moves with the phase. */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly outcome: Promise<AttemptOutcome>;
  readonly startedAt: number;
  #resolve!: (outcome: AttemptOutcome) => void;
  readonly #request: AttemptRequest;
  readonly #sink: StreamSink | undefined;
  readonly #clock: () => number;
  #phase: Phase = 'connecting';
  #controller: Controller | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = 0;
  #deadline = 0;
  #status = 0;
  #headers: ResponseHeaders = {};
  /** What is held back: a unary answer, an error, or a stream before its first content. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #reader: OpenAIStreamReader | undefined;
  #decoder: Transform | undefined;
  #firstContentAt = 0;
  #committed = false;
  /** The answer has been read to its end: the connection may be used again. */
  #ended = false;

  constructor(request: AttemptRequest, sink: StreamSink | undefined, clock: () => number) {
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#request = request;
    this.#sink = sink;
    this.#clock = clock;
    this.startedAt = clock();
  }

  start(dispatcher: Dispatcher): this {
    const { waits, path, headers, body } = this.#request;
    this.#setDeadline(this.startedAt + Math.min(waits.connect, waits.content, waits.total));
    dispatcher.dispatch({ path, method: 'POST', headers, body }, this);
    return this;
  }

  /** The client has gone, or nobody wants the answer any more. */
  abort(failure: Failure): void {
    this.#fail(failure);
  }

  onRequestStart(controller: Controller): void {
    // The connection came after we had given up on it.
    if (this.#phase === 'settled') return controller.abort(ATTEMPT_ENDED);
    this.#controller = controller;
    this.#phase = 'waiting';
    this.#setDeadline(this.startedAt + Math.min(this.#request.waits.content, this.#request.waits.total));
  }

  onResponseStart(_: Controller, status: number, headers: ResponseHeaders): void {
    if (status < 200 || this.#phase === 'settled') return;
    this.#status = status;
    this.#headers = headers;
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') this.#decode(String(encoding));
    const isJson = String(headers['content-type'] ?? '').includes('json');
    if (status < 300 && this.#request.streaming && !isJson)
      this.#reader = new OpenAIStreamReader(this.#request.limits.eventBytes);
  }

  onResponseData(_: Controller, chunk: Buffer): void {
    if (this.#decoder === undefined) this.#take(chunk);
    else this.#decoder.write(chunk);
  }

  #take(chunk: Buffer): void {
    if (this.#phase === 'settled' || this.#phase === 'lingering') return;
    if (this.#reader === undefined) this.#collect(chunk);
    else this.#pass(this.#reader, chunk);
  }

  onResponseEnd(): void {
    this.#ended = true;
    if (this.#decoder === undefined) this.#end();
    else this.#decoder.end();
  }

  #end(): void {
    if (this.#phase === 'settled' || this.#phase === 'lingering') return this.#clearTimer();
    if (this.#reader === undefined) this.#settle(this.#judge());
    else this.#endStream(this.#reader, EMPTY);
  }

  onResponseError(_: Controller, error: Error): void {
    if (this.#phase === 'lingering') return this.#clearTimer();
    if (this.#phase === 'settled') return;
    const failure = classifyError(error);
    // A reset before anything came is worth a quick second try; one in the middle of an answer has cost its time already.
    this.#fail(this.#status === 0 ? failure : { ...failure, quickRetry: false });
  }

  /** Some providers compress though identity was asked for: what they say counts all the same. */
  #decode(encoding: string): void {
    this.#decoder = bodyDecoder(encoding);
    delete this.#headers['content-encoding'];
    const wrong = () =>
      this.#fail({ class: 'Malformed', code: 'bad_encoding', message: `the answer is not readable as ${encoding}` });
    if (this.#decoder === undefined) return wrong();
    this.#decoder.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#decoder.on('end', () => this.#end());
    this.#decoder.on('error', wrong);
  }

  #collect(chunk: Buffer): void {
    const limit = this.#status < 300 ? this.#request.limits.answerBytes : ERROR_BODY_BYTES;
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > limit) {
      if (this.#status < 300)
        return this.#fail({ class: 'Malformed', code: 'answer_too_large', message: `the answer is larger than ${limit} bytes` });
      return this.#fail(classifyResponse(this.#status, this.#headers, EMPTY, this.#clock()));
    }
    this.#held.push(chunk);
    const { waits } = this.#request;
    this.#setDeadline(Math.min(this.startedAt + waits.content, this.#clock() + waits.idle));
  }

  #judge(): AttemptOutcome {
    const { key, operation, streaming } = this.#request;
    const body = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    if (this.#status >= 300) {
      const headers = headersWithoutKey(this.#headers, key);
      return { kind: 'failed', failure: classifyResponse(this.#status, headers, withoutKey(body, key), this.#clock()) };
    }
    const failure = judgeAnswer(operation, body) ?? (streaming ? NOT_A_STREAM : undefined);
    if (failure !== undefined) return { kind: 'failed', failure: { ...failure, status: this.#status } };
    return { kind: 'answer', status: this.#status, headers: answerHeaders(this.#headers, key), body };
  }

  #pass(reader: OpenAIStreamReader, chunk: Buffer): void {
    const bytes = reader.push(chunk);
    const now = this.#clock();
    if (reader.hasContent && this.#firstContentAt === 0) this.#firstContentAt = now;
    if (reader.failure !== undefined && this.#committed) this.#write(bytes);
    if (reader.failure !== undefined) return this.#fail(reader.failure);
    if (reader.isDone) return this.#endStream(reader, bytes);
    if (this.#committed) {
      if (bytes.length > 0 && !this.#write(bytes)) return this.#waitForClient();
    } else {
      this.#hold(bytes);
      if (reader.hasContent && this.#request.commit === 'FirstContent') this.#commit();
    }
    if (this.#firstContentAt !== 0 && this.#phase !== 'paused')
      this.#setDeadline(Math.min(now + this.#request.waits.idle, this.startedAt + this.#longest()));
  }

  #longest(): number {
    return this.#request.commit === 'Complete' ? this.#request.waits.total : this.#request.limits.streamDuration;
  }

  #hold(bytes: Buffer): void {
    if (bytes.length === 0) return;
    const { limits, commit } = this.#request;
    this.#heldBytes += bytes.length;
    const limit = commit === 'Complete' ? limits.completeBytes : limits.heldBytes;
    if (this.#heldBytes > limit)
      this.#fail({
        class: 'Malformed',
        code: 'held_too_much',
        message: `more than ${limit} bytes came and nothing that may be given on`,
      });
    else this.#held.push(bytes);
  }

  #commit(): void {
    if (this.#phase === 'settled') return;
    this.#committed = true;
    this.#phase = 'flowing';
    this.#sink?.begin(answerHeaders(this.#headers, this.#request.key));
    const held = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    this.#held = [];
    if (held.length > 0 && !this.#write(held)) this.#waitForClient();
  }

  #write(bytes: Buffer): boolean {
    return bytes.length === 0 || this.#sink === undefined || this.#sink.write(bytes);
  }

  #waitForClient(): void {
    if (this.#phase === 'paused') return;
    this.#phase = 'paused';
    this.#controller?.pause();
    this.#setDeadline(this.#clock() + this.#request.limits.slowClient);
    this.#sink?.onDrain(() => {
      if (this.#phase !== 'paused') return;
      this.#phase = 'flowing';
      this.#setDeadline(this.#clock() + this.#request.waits.idle);
      this.#controller?.resume();
    });
  }

  /** `[DONE]` has come, or the upstream has ended: the answer is whole or it is not. */
  #endStream(reader: OpenAIStreamReader, last: Buffer): void {
    const failure = reader.end();
    if (failure !== undefined) return this.#fail(failure);
    if (!this.#committed) {
      this.#held.push(last);
      this.#commit();
    } else this.#write(last);
    if (!reader.isDone) this.#write(DONE_EVENT);
    const firstContentMs = this.#firstContentAt - this.startedAt;
    this.#phase = reader.isDone ? 'lingering' : 'settled';
    if (reader.isDone) this.#setDeadline(this.#clock() + LINGER);
    else this.#clearTimer();
    this.#controller?.resume();
    this.#resolve({ kind: 'streamed', firstContentMs });
  }

  #fail(failure: Failure): void {
    if (this.#phase === 'settled' || this.#phase === 'lingering') return;
    const seen: Failure = this.#status === 0 || failure.status !== undefined ? failure : { ...failure, status: this.#status };
    if (!this.#committed) return this.#settle({ kind: 'failed', failure: seen });
    const isClient = failure.class === 'ClientAbort';
    this.#settle({
      kind: 'broken',
      failure: isClient ? seen : { ...seen, class: 'AfterCommit' },
      firstContentMs: this.#firstContentAt - this.startedAt,
    });
  }

  #settle(outcome: AttemptOutcome): void {
    this.#phase = 'settled';
    this.#held = [];
    this.#decoder?.destroy();
    this.#clearTimer();
    if (!this.#ended) this.#controller?.abort(ATTEMPT_ENDED);
    this.#resolve(
      outcome.kind === 'failed' || outcome.kind === 'broken' ? { ...outcome, failure: this.#clean(outcome.failure) } : outcome,
    );
  }

  /** A failure's words go into logs, status and answers: should a provider quote the key there, it is taken out. */
  #clean(failure: Failure): Failure {
    const { key } = this.#request;
    if (key === undefined || !(failure.message.includes(key) || failure.code.includes(key))) return failure;
    return { ...failure, message: failure.message.replaceAll(key, REDACTED), code: failure.code.replaceAll(key, REDACTED) };
  }

  #setDeadline(at: number): void {
    this.#deadline = at;
    // A deadline that moves away costs nothing: the timer looks at it when it fires.
    if (this.#timer !== undefined && this.#timerAt <= at) return;
    this.#clearTimer();
    this.#timerAt = at;
    // Whole milliseconds: timers of one length share a list.
    this.#timer = setTimeout(this.#onTimer, Math.max(0, Math.ceil(at - this.#clock())));
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    if (this.#clock() < this.#deadline) return this.#setDeadline(this.#deadline);
    this.#expire();
  };

  #expire(): void {
    const { waits, streaming } = this.#request;
    const elapsed = Math.round(this.#clock() - this.startedAt);
    switch (this.#phase) {
      case 'connecting':
        return this.#fail({ class: 'Transport', code: 'connect_timeout', message: `no connection within ${waits.connect} ms` });
      case 'waiting':
        if (this.#firstContentAt !== 0)
          return this.#fail({ class: 'Stall', code: 'idle_timeout', message: `nothing came for ${waits.idle} ms` });
        return this.#fail({
          class: 'Stall',
          code: streaming ? 'first_content_timeout' : 'response_timeout',
          message: `no ${streaming ? 'content' : 'whole answer'} within ${elapsed} ms`,
        });
      case 'flowing':
        return this.#fail({ class: 'Stall', code: 'idle_timeout', message: `nothing came for ${waits.idle} ms` });
      case 'paused':
        return this.#fail({ class: 'ClientAbort', code: 'slow_client', message: 'the client did not read what was sent' });
      case 'lingering':
        this.#phase = 'settled';
        return this.#controller?.abort(ATTEMPT_ENDED);
      case 'settled':
        return;
    }
  }

  #clearTimer(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

const NOT_A_STREAM: Failure = {
  class: 'Malformed',
  code: 'not_a_stream',
  message: 'a stream was asked for and a plain answer came',
};
