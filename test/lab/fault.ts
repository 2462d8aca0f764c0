/** What the provider does wrong. Chunks are chunks with content, counted from 0; the role-only chunk before them is not one. */
export type Fault =
  /** Nothing listens any more, and open connections are closed. */
  | { kind: 'refuse' }
  /** Accepts connections and never reads from them. */
  | { kind: 'hangConnection' }
  | { kind: 'resetConnection' }
  /** Speaks neither HTTP nor TLS. */
  | { kind: 'garbage' }
  /** Shows a certificate that nobody trusts. Only for a lab that speaks TLS. */
  | { kind: 'untrustedCertificate' }
  /** Takes the whole request, then resets the connection. */
  | { kind: 'reset' }
  /** Takes the whole request, then says nothing. */
  | { kind: 'hang' }
  | { kind: 'headersThenNothing' }
  | { kind: 'status'; status: number; headers?: Record<string, string>; contentType: string; body: string }
  /** Its usual answer, with these headers besides. */
  | { kind: 'headers'; headers: Record<string, string> }
  /** Comment lines in a stream, white space in a unary answer. */
  | { kind: 'pingsThenNothing'; everyMs: number; pings: number }
  | { kind: 'pingsForever'; everyMs: number }
  /** Keep-alives, then the whole answer. */
  | { kind: 'pingsThenAnswer'; everyMs: number; pings: number }
  /** Chunks that name the role and hold no content; a unary answer stops after its headers. */
  | { kind: 'roleOnly'; chunks: number }
  | { kind: 'slowFirstToken'; delayMs: number }
  | { kind: 'drip'; everyMs: number }
  /** The whole answer in packets of so many bytes, wherever that cuts it. */
  | { kind: 'fragments'; bytes: number }
  /** Lines of a stream end in CRLF, as Google's do. */
  | { kind: 'crlf' }
  /** `clean`: the HTTP message ends as it should; `close`: the connection closes before that; `reset`: it is reset. Unary: half of the body. */
  | { kind: 'cut'; afterChunks: number; close: 'clean' | 'close' | 'reset' }
  /** Unary: half of the body. */
  | { kind: 'stall'; afterChunks: number }
  /** A chunk that is not JSON, then the rest of the answer. Unary: a body that is not JSON. */
  | { kind: 'malformed'; atChunk: number }
  | { kind: 'missingDone' }
  /** An error event after so many chunks, with status 200. Unary: status 200 with an error for a body. */
  | { kind: 'errorEvent'; afterChunks: number; error: string; ending: 'done' | 'end' }
  | { kind: 'emptyChoices' }
  | { kind: 'emptyBody' }
  /** Half of a JSON body, whose `content-length` is right for the half, or for the whole. */
  | { kind: 'truncated'; contentLength: 'right' | 'tooLong' }
  /** Compressed, although nobody asked for it. */
  | { kind: 'gzip' }
  /** One event, or one body, of so many bytes. */
  | { kind: 'gigantic'; bytes: number };

/** Faults of the connection come before a request is read: they can't be limited to some requests. */
export const CONNECTION_FAULTS = ['refuse', 'hangConnection', 'resetConnection', 'garbage', 'untrustedCertificate'] as const;
export type ConnectionFault = Extract<Fault, { kind: (typeof CONNECTION_FAULTS)[number] }>;
export type RequestFault = Exclude<Fault, ConnectionFault>;

export function isConnectionFault(fault: Fault): fault is ConnectionFault {
  return CONNECTION_FAULTS.some((kind) => kind === fault.kind);
}

/** Which requests a fault is for; what is left out does not limit it. */
export interface FaultMatch {
  models?: string[];
  keys?: string[];
  /** A path matches when it contains one of these. */
  paths?: string[];
  only?: 'stream' | 'unary';
  /** Only the first so many of the requests that match otherwise. */
  first?: number;
  /** Only this part of them, from 0 to 1, by the lab's seeded dice. */
  rate?: number;
}
