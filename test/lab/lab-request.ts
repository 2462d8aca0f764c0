import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/**
 * How it ended. `whole`: the answer, or the error, went out as meant. `faulted`: the lab broke it off. `clientGone`: the client
 * closed first. `open`: it runs.
 */
export type Outcome = 'open' | 'whole' | 'faulted' | 'clientGone';

/** One request, as a provider saw it. */
export interface LabRequest {
  /** From 1, in the order of arrival. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** As sent: names in their own case, in order. */
  readonly rawHeaders: readonly string[];
  /** The bearer token, or `api-key`. */
  readonly key: string | undefined;
  readonly body: Buffer;
  readonly bodySha256: string;
  /** The body as JSON; `undefined` when it is none. */
  json(): unknown;
  readonly model: string | undefined;
  readonly stream: boolean;
  /** `x-understudy-*` headers, for what the proxy says about the attempt. */
  readonly understudy: Record<string, string>;
  /** Kind of the fault that was played. */
  fault: string | undefined;
  status: number | undefined;
  outcome: Outcome;
}

export interface ReceivedRequest {
  number: number;
  time: number;
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
  body: Buffer;
}

export function recordRequest(received: ReceivedRequest): LabRequest {
  const parsed = parse(received.body);
  const fields = isObject(parsed) ? parsed : {};
  return {
    ...received,
    key: keyOf(received.headers),
    bodySha256: createHash('sha256').update(received.body).digest('hex'),
    json: () => parsed,
    model: typeof fields.model === 'string' ? fields.model : undefined,
    stream: fields.stream === true,
    understudy: understudyHeaders(received.headers),
    fault: undefined,
    status: undefined,
    outcome: 'open',
  };
}

function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
  const apiKey = headers['api-key'];
  return bearer ?? (typeof apiKey === 'string' ? apiKey : undefined);
}

function understudyHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (name.startsWith('x-understudy-') ? [[name, String(value)]] : [])),
  );
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
