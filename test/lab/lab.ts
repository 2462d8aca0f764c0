import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { composeAnswer } from './compose-answer.ts';
import { KEY_PLACEHOLDER } from './error-bodies.ts';
import { type Fault, type FaultMatch, isConnectionFault } from './fault.ts';
import { createFaultBook } from './fault-book.ts';
import { createLabCertificate } from './lab-certificate.ts';
import { type LabRequest, type Outcome, recordRequest } from './lab-request.ts';
import { createListener, type Listener } from './listener.ts';
import { playScript } from './play-script.ts';
import { scriptAnswer } from './script-answer.ts';
import { seededRandom } from './seeded-random.ts';
import { echoWebSocket } from './web-socket-echo.ts';

/** Requests that are remembered; older ones are forgotten, and still counted. */
export const MAX_REMEMBERED = 10_000;
/** Bodies beyond this are answered with 413, as no provider takes them. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
/** Providers append a date to the model that was asked for. */
const DEFAULT_MODEL_SUFFIX = '-2026-08-07';

export interface LabOptions {
  /** Said in every answer, so that a test sees who answered. Letters, digits and "-". */
  name: string;
  /** Of the dice for faults with a rate. */
  seed?: number;
  /** Speak TLS, with a certificate that only `lab.ca` vouches for. */
  tls?: boolean;
  /** Models that exist. Left out: every model does. */
  models?: readonly string[];
  /** Keys that are accepted. Left out: every request is. */
  keys?: readonly string[];
  /** Appended to the model's name in answers. */
  modelSuffix?: string;
}

export interface LabCounters {
  requests: number;
  byModel: Record<string, number>;
  byKey: Record<string, number>;
  byPath: Record<string, number>;
  byFault: Record<string, number>;
  byOutcome: Record<Outcome, number>;
}

/** A provider that can be made to fail. */
export interface Lab {
  readonly name: string;
  /** With `/v1`. Any path before `/chat/completions` and the like is answered too, so that one lab can play several regions. */
  readonly baseURL: string;
  /** PEM of the authority to trust, for a lab that speaks TLS. */
  readonly ca: string | undefined;
  start(port?: number): Promise<{ baseURL: string }>;
  stop(): Promise<void>;
  /** In place of all faults that were set; `undefined` ends them. */
  setFault(fault: Fault | undefined, match?: FaultMatch): Promise<void>;
  /** Besides the faults that are set: the first that matches a request is played. */
  addFault(fault: Fault, match?: FaultMatch): Promise<void>;
  readonly requests: readonly LabRequest[];
  readonly counters: LabCounters;
  /** Resolves with the first request that passes, now or later; throws after `timeoutMs`. */
  waitForRequest(passes: (request: LabRequest) => boolean, timeoutMs?: number): Promise<LabRequest>;
  /** Ends every fault and forgets every request. */
  reset(): Promise<void>;
}

export function createLab(options: LabOptions): Lab {
  const { name, seed = 1, modelSuffix = DEFAULT_MODEL_SUFFIX } = options;
  const faults = createFaultBook(seededRandom(seed));
  const watchers = new Set<() => void>();
  let remembered: LabRequest[] = [];
  let counters = emptyCounters();
  let number = 0;
  let port = 0;
  let ca: string | undefined;
  let listener: Listener | undefined;
  let lifetime = new AbortController();

  const changed = () => {
    for (const watcher of watchers) watcher();
  };
  const remember = (received: LabRequest) => {
    remembered.push(received);
    if (remembered.length > MAX_REMEMBERED) remembered.shift();
    count(counters, received);
    changed();
  };
  const finish = (received: LabRequest, outcome: Outcome) => {
    if (received.outcome !== 'open') return;
    received.outcome = outcome;
    counters.byOutcome.open -= 1;
    counters.byOutcome[outcome] += 1;
    changed();
  };

  const handle = async (message: IncomingMessage, response: ServerResponse) => {
    const body = await readBody(message);
    if (!body) return;
    const received = receive(message, body);
    const fault = faults.choose(received);
    received.fault = fault?.kind;
    remember(received);
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    const created = Math.floor(received.time / 1000);
    const answer = composeAnswer(received, options, { lab: name, number: received.number, created, modelSuffix });
    const steps = scriptAnswer(answer, fault, providerHeaders(name, received.number), received.key);
    const opening = steps.find((step) => step.do === 'head');
    received.status = opening?.status;
    const went = await playScript(steps, {
      response,
      signal: AbortSignal.any([gone.signal, lifetime.signal]),
      reset: () => listener?.reset(message.socket),
    });
    if (went === 'whole' && !response.writableFinished && !gone.signal.aborted) {
      await once(response, 'finish', { signal: gone.signal }).catch(() => undefined);
    }
    finish(received, went === 'gone' || gone.signal.aborted ? (went === 'faulted' ? 'faulted' : 'clientGone') : went);
  };

  const receive = (message: IncomingMessage, body: Buffer): LabRequest => {
    number += 1;
    return recordRequest({
      number,
      time: Date.now(),
      method: message.method ?? '',
      path: message.url ?? '',
      headers: message.headers,
      rawHeaders: message.rawHeaders,
      body,
    });
  };

  const upgrade = (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    const received = receive(message, Buffer.alloc(0));
    const fault = faults.choose(received);
    received.fault = fault?.kind;
    received.status = fault?.kind === 'status' ? fault.status : 101;
    remember(received);
    socket.once('close', () => finish(received, fault ? 'clientGone' : 'whole'));
    const headers = providerHeaders(name, received.number);
    switch (fault?.kind) {
      case 'hang':
        // Without a reader, the end of the connection would not be seen.
        socket.resume();
        return;
      case 'reset':
        finish(received, 'faulted');
        listener?.reset(message.socket);
        return;
      case 'status':
        finish(received, 'whole');
        socket.end(refusalOf(fault, headers, received.key));
        return;
      default:
        echoWebSocket(message, socket, head, headers);
    }
  };

  const add = async (fault: Fault, match?: FaultMatch) => {
    if (!isConnectionFault(fault)) {
      faults.add(fault, match);
      return;
    }
    if (match) throw new Error(`the fault ${fault.kind} comes before a request is read: it can't be limited to some requests`);
    if (fault.kind === 'untrustedCertificate' && !options.tls) {
      throw new Error(`the lab ${name} speaks plain HTTP and has no certificate: start it with TLS to have it distrusted`);
    }
    await listener?.setFault(fault);
  };
  const clear = async () => {
    faults.clear();
    await listener?.setFault(undefined);
  };

  return {
    name,
    get baseURL() {
      return `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}/v1`;
    },
    get ca() {
      return ca;
    },
    get requests() {
      return remembered;
    },
    get counters() {
      return counters;
    },
    async start(wanted = 0) {
      if (listener) throw new Error(`the lab ${name} runs already`);
      lifetime = new AbortController();
      const tls = options.tls ? { trusted: await createLabCertificate(), untrusted: await createLabCertificate() } : undefined;
      ca = tls?.trusted.ca;
      listener = createListener({
        ...(tls && { tls }),
        onRequest: (message, response) => {
          handle(message, response).catch((error: unknown) => {
            // A mistake of the lab itself must not pass for one of its faults.
            response.destroy();
            if (!lifetime.signal.aborted) console.error(`lab ${name}: ${message.method} ${message.url}:`, error);
          });
        },
        onUpgrade: upgrade,
      });
      port = await listener.listen(wanted);
      return { baseURL: this.baseURL };
    },
    async stop() {
      lifetime.abort();
      await listener?.close();
      listener = undefined;
    },
    async setFault(fault, match) {
      // A refused fault leaves what was set before.
      if (fault && isConnectionFault(fault)) {
        await add(fault, match);
        faults.clear();
        return;
      }
      await clear();
      if (fault) await add(fault, match);
    },
    addFault: add,
    async waitForRequest(passes, timeoutMs = 10_000) {
      const deadline = AbortSignal.timeout(timeoutMs);
      for (;;) {
        const found = remembered.find(passes);
        if (found) return found;
        deadline.throwIfAborted();
        await new Promise<void>((resolve) => {
          const wake = () => {
            watchers.delete(wake);
            deadline.removeEventListener('abort', wake);
            resolve();
          };
          watchers.add(wake);
          deadline.addEventListener('abort', wake);
        });
      }
    },
    async reset() {
      await clear();
      remembered = [];
      counters = emptyCounters();
    },
  };
}

function emptyCounters(): LabCounters {
  const byOutcome = { open: 0, whole: 0, faulted: 0, clientGone: 0 };
  return { requests: 0, byModel: {}, byKey: {}, byPath: {}, byFault: {}, byOutcome };
}

function count(counters: LabCounters, { model, key, path, fault }: LabRequest): void {
  const add = (by: Record<string, number>, name: string | undefined) => {
    if (name !== undefined) by[name] = (by[name] ?? 0) + 1;
  };
  counters.requests += 1;
  counters.byOutcome.open += 1;
  add(counters.byModel, model);
  add(counters.byKey, key);
  add(counters.byPath, path);
  add(counters.byFault, fault);
}

/** `undefined` when the client went away, or sent too much: the request is then answered or over. */
async function readBody(message: IncomingMessage): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of message as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > MAX_BODY_BYTES) {
        message.destroy();
        return undefined;
      }
      pieces.push(piece);
    }
  } catch {
    // The client broke off while it sent: there is nobody to answer.
    return undefined;
  }
  return Buffer.concat(pieces);
}

/** A refused upgrade is answered with plain HTTP. */
function refusalOf(fault: Extract<Fault, { kind: 'status' }>, common: Record<string, string>, key = ''): string {
  const body = fault.body.replaceAll(KEY_PLACEHOLDER, key);
  const headers = { ...common, ...fault.headers, 'content-type': fault.contentType, 'content-length': Buffer.byteLength(body) };
  const lines = Object.entries(headers).map(([header, value]) => `${header}: ${value}\r\n`);
  return `HTTP/1.1 ${fault.status} Refused\r\n${lines.join('')}connection: close\r\n\r\n${body}`;
}

/** What OpenAI sends with every answer, the limits of the account included. */
function providerHeaders(lab: string, number: number): Record<string, string> {
  return {
    'openai-organization': lab,
    'openai-processing-ms': '12',
    'openai-version': '2020-10-01',
    'x-request-id': `req_${lab}${number}`,
    'x-ratelimit-limit-requests': '500',
    'x-ratelimit-limit-tokens': '200000',
    'x-ratelimit-remaining-requests': '499',
    'x-ratelimit-remaining-tokens': '199992',
    'x-ratelimit-reset-requests': '120ms',
    'x-ratelimit-reset-tokens': '2ms',
  };
}
