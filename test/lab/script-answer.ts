import { gzipSync } from 'node:zlib';
import type { Answer, AnswerEvent } from './answer.ts';
import { KEY_PLACEHOLDER } from './error-bodies.ts';
import type { RequestFault } from './fault.ts';

/** One thing that the lab does on the wire. A script is over with `end`, `close`, `reset` or `silence`. */
export type Step =
  | { do: 'head'; status: number; headers: Record<string, string> }
  | { do: 'write'; bytes: string | Buffer }
  /** So many bytes of filling, written as fast as they are taken. */
  | { do: 'fill'; bytes: number }
  | { do: 'wait'; ms: number }
  /** The same bytes again and again, until the client goes away. */
  | { do: 'repeat'; bytes: string; everyMs: number }
  /** Nothing more, and the connection stays open. */
  | { do: 'silence' }
  /** The HTTP message ends as it should. */
  | { do: 'end' }
  /** The connection closes, whatever was promised. */
  | { do: 'close' }
  | { do: 'reset' };

const SSE_TYPE = 'text/event-stream; charset=utf-8';
const PING = ': keep-alive\n\n';
const NOT_JSON = '{"id":"chatcmpl-broken","object":"chat.completion.chunk","choices":[{"index":0,"del';

/** What happens on the wire when this answer meets this fault. */
export function scriptAnswer(answer: Answer, fault: RequestFault | undefined, common: Record<string, string>, key = ''): Step[] {
  if (!fault) return whole(answer, common);
  switch (fault.kind) {
    case 'reset':
      return [{ do: 'reset' }];
    case 'hang':
      return [{ do: 'silence' }];
    case 'headersThenNothing':
      return [head(answer, common), { do: 'silence' }];
    case 'status': {
      const body = fault.body.replaceAll(KEY_PLACEHOLDER, key);
      const headers = { ...common, ...fault.headers, 'content-type': fault.contentType, 'content-length': length(body) };
      return [{ do: 'head', status: fault.status, headers }, { do: 'write', bytes: body }, { do: 'end' }];
    }
    case 'headers':
      return whole(answer, { ...common, ...fault.headers });
    case 'pingsThenNothing':
      return [head(answer, common), ...repeated(pingOf(answer), fault.pings, fault.everyMs), { do: 'silence' }];
    case 'pingsForever':
      return [head(answer, common), { do: 'repeat', bytes: pingOf(answer), everyMs: fault.everyMs }];
    case 'pingsThenAnswer':
      return [head(answer, common), ...repeated(pingOf(answer), fault.pings, fault.everyMs), ...whole(answer, common).slice(1)];
    case 'fragments':
      return [head(answer, common), ...fragments(bytesOf(answer), fault.bytes), { do: 'end' }];
    case 'crlf':
      return answer.kind === 'stream'
        ? [head(answer, common), { do: 'write', bytes: bytesOf(answer).replaceAll('\n', '\r\n') }, { do: 'end' }]
        : whole(answer, common);
    case 'roleOnly':
      return [head(answer, common), ...repeated(roleChunk(answer), fault.chunks, 0), { do: 'silence' }];
    case 'slowFirstToken':
      return slowFirst(answer, common, fault.delayMs);
    case 'drip':
      return drip(answer, common, fault.everyMs);
    case 'cut': {
      if (fault.close !== 'clean') return [...upTo(answer, common, fault.afterChunks), { do: fault.close }];
      return answer.kind === 'stream'
        ? [...upTo(answer, common, fault.afterChunks), { do: 'end' }]
        : oneBody(answer, common, half(answer.body));
    }
    case 'stall':
      return [...upTo(answer, common, fault.afterChunks), { do: 'silence' }];
    case 'malformed':
      return malformed(answer, common, fault.atChunk);
    case 'missingDone':
      return answer.kind === 'stream'
        ? whole({ ...answer, events: answer.events.filter(({ part }) => part !== 'done') }, common)
        : whole(answer, common);
    case 'errorEvent':
      return errorEvent(answer, common, fault);
    case 'emptyChoices':
      return emptyChoices(answer, common);
    case 'emptyBody':
      return answer.kind === 'stream' ? [head(answer, common), { do: 'end' }] : oneBody(answer, common, '');
    case 'truncated':
      return truncated(answer, common, fault.contentLength);
    case 'gzip': {
      return oneBody(answer, { ...common, 'content-encoding': 'gzip' }, gzipSync(bytesOf(answer)));
    }
    case 'gigantic':
      return [
        head(answer, common),
        { do: 'write', bytes: answer.kind === 'stream' ? 'data: {"filling":"' : '{"filling":"' },
        { do: 'fill', bytes: fault.bytes },
        { do: 'write', bytes: answer.kind === 'stream' ? '"}\n\ndata: [DONE]\n\n' : '"}' },
        { do: 'end' },
      ];
    default:
      return unknown(fault);
  }
}

function unknown(fault: never): never {
  throw new Error(`no script for the fault ${JSON.stringify(fault)}`);
}

function whole(answer: Answer, common: Record<string, string>): Step[] {
  if (answer.kind === 'unary') return oneBody(answer, common, answer.body);
  return [head(answer, common), ...answer.events.map(write), { do: 'end' }];
}

/** Headers of a body of unknown length: it ends where the message ends. */
function head(answer: Answer, common: Record<string, string>): Step {
  const type = answer.kind === 'stream' ? SSE_TYPE : 'application/json';
  const status = answer.kind === 'stream' ? 200 : answer.status;
  return { do: 'head', status, headers: { ...common, ...answer.headers, 'content-type': type } };
}

function oneBody(answer: Answer, common: Record<string, string>, body: string | Buffer): Step[] {
  return [head(answer, { ...common, 'content-length': length(body) }), { do: 'write', bytes: body }, { do: 'end' }];
}

function frame(event: AnswerEvent): string {
  return `data: ${event.data}\n\n`;
}

function write(event: AnswerEvent): Step {
  return { do: 'write', bytes: frame(event) };
}

function bytesOf(answer: Answer): string {
  return answer.kind === 'stream' ? answer.events.map(frame).join('') : answer.body;
}

/** Each packet is given time to leave before the next. */
function fragments(text: string, size: number): Step[] {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index): Step[] => [
    { do: 'write', bytes: bytes.subarray(index * size, (index + 1) * size) },
    { do: 'wait', ms: 1 },
  ]).flat();
}

function length(body: string | Buffer): string {
  return String(Buffer.byteLength(body));
}

function half(text: string): string {
  return text.slice(0, Math.floor(text.length / 2));
}

function pingOf(answer: Answer): string {
  return answer.kind === 'stream' ? PING : '\n';
}

function repeated(bytes: string, times: number, everyMs: number): Step[] {
  if (bytes === '') return [];
  return Array.from({ length: times }, (): Step[] => [
    { do: 'write', bytes },
    { do: 'wait', ms: everyMs },
  ]).flat();
}

function roleChunk(answer: Answer): string {
  const role = answer.kind === 'stream' ? answer.events.find(({ part }) => part === 'role') : undefined;
  return role ? frame(role) : '';
}

/** The events before the content chunk of that number, and the others. */
function split(events: AnswerEvent[], chunks: number): [AnswerEvent[], AnswerEvent[]] {
  let seen = 0;
  const at = events.findIndex(({ part }) => part === 'finish' || part === 'done' || (part === 'content' && seen++ === chunks));
  return [events.slice(0, at), events.slice(at)];
}

/** The head and the first part of an answer, with a length that promises all of it. */
function upTo(answer: Answer, common: Record<string, string>, chunks: number): Step[] {
  if (answer.kind === 'stream') return [head(answer, common), ...split(answer.events, chunks)[0].map(write)];
  return [head(answer, { ...common, 'content-length': length(answer.body) }), { do: 'write', bytes: half(answer.body) }];
}

function slowFirst(answer: Answer, common: Record<string, string>, ms: number): Step[] {
  if (answer.kind === 'unary') return [{ do: 'wait', ms }, ...whole(answer, common)];
  const [before, after] = split(answer.events, 0);
  return [head(answer, common), ...before.map(write), { do: 'wait', ms }, ...after.map(write), { do: 'end' }];
}

/** How many pieces a unary answer drips in. */
const DRIPS = 8;

function drip(answer: Answer, common: Record<string, string>, ms: number): Step[] {
  const pieces = answer.kind === 'stream' ? answer.events.map(frame) : pieceTogether(answer.body, DRIPS);
  const steps = pieces.flatMap((bytes): Step[] => [
    { do: 'write', bytes },
    { do: 'wait', ms },
  ]);
  return [head(answer, common), ...steps, { do: 'end' }];
}

function pieceTogether(body: string, pieces: number): string[] {
  const size = Math.ceil(body.length / pieces);
  return Array.from({ length: pieces }, (_, index) => body.slice(index * size, (index + 1) * size)).filter(Boolean);
}

function malformed(answer: Answer, common: Record<string, string>, chunk: number): Step[] {
  if (answer.kind === 'unary') return oneBody(answer, common, `${answer.body.trimEnd().slice(0, -1)},,,`);
  const [before, after] = split(answer.events, chunk);
  const broken: Step = { do: 'write', bytes: `data: ${NOT_JSON}\n\n` };
  return [head(answer, common), ...before.map(write), broken, ...after.slice(1).map(write), { do: 'end' }];
}

function errorEvent(
  answer: Answer,
  common: Record<string, string>,
  fault: Extract<RequestFault, { kind: 'errorEvent' }>,
): Step[] {
  if (answer.kind === 'unary') return oneBody({ ...answer, status: 200 }, common, fault.error);
  // With no chunk before it, the error is the first event: the role-only chunk is left out too.
  const before = fault.afterChunks === 0 ? [] : split(answer.events, fault.afterChunks)[0];
  const error: Step = { do: 'write', bytes: `data: ${JSON.stringify(JSON.parse(fault.error))}\n\n` };
  const done: Step[] = fault.ending === 'done' ? [{ do: 'write', bytes: 'data: [DONE]\n\n' }] : [];
  return [head(answer, common), ...before.map(write), error, ...done, { do: 'end' }];
}

/** Every list that would hold the answer is empty, in each of the shapes that have one. */
function emptyChoices(answer: Answer, common: Record<string, string>): Step[] {
  const empty = (data: string) => {
    const body = JSON.parse(data);
    if (body.choices) return JSON.stringify({ ...body, choices: [] });
    return JSON.stringify({ ...body, ...(body.data && { data: [] }) });
  };
  if (answer.kind === 'unary') return oneBody(answer, common, empty(answer.body));
  const events = answer.events.map((event) => (event.part === 'done' ? event : { ...event, data: empty(event.data) }));
  return whole({ ...answer, events }, common);
}

function truncated(answer: Answer, common: Record<string, string>, promised: 'right' | 'tooLong'): Step[] {
  const all = bytesOf(answer);
  const first = answer.kind === 'stream' ? answer.events.find(({ part }) => part === 'content') : undefined;
  const sent = half(first ? frame(first) : all);
  if (promised === 'right') return oneBody(answer, common, sent);
  return [head(answer, { ...common, 'content-length': length(all) }), { do: 'write', bytes: sent }, { do: 'close' }];
}
