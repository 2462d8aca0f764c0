import { connect } from 'node:net';
import { connect as connectTLS } from 'node:tls';

/** What the wire showed, below any HTTP client. */
export interface RawExchange {
  /** Status line, headers and body as they came, with the framing of chunks. */
  text: string;
  /** `open`: still there after the silence that was waited for. */
  ended: 'end' | 'reset' | 'refused' | 'open';
}

export interface RawQuestion {
  port: number;
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string;
  /** Silence, in milliseconds, after which a connection counts as open. */
  quietMs?: number;
  /** Bytes after which enough was seen. */
  maxBytes?: number;
  /** PEM, to speak TLS. */
  ca?: string;
}

const DEFAULT_QUIET_MS = 10_000;
const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;

/** One request over a connection of its own, and all that comes back until it closes or falls silent. */
export function rawExchange(question: RawQuestion): Promise<RawExchange> {
  const { port, method = 'POST', path = '/v1/chat/completions', headers = {}, body = '' } = question;
  const { quietMs = DEFAULT_QUIET_MS, maxBytes = DEFAULT_MAX_BYTES, ca } = question;
  return new Promise((resolve) => {
    const socket = ca ? connectTLS({ port, host: '127.0.0.1', ca }) : connect({ port, host: '127.0.0.1' });
    let text = '';
    const finish = (ended: RawExchange['ended']) => {
      socket.destroy();
      resolve({ text, ended });
    };
    socket.setEncoding('latin1');
    socket.setTimeout(quietMs, () => finish('open'));
    socket.on('data', (bytes) => {
      text += String(bytes);
      if (text.length > maxBytes) finish('open');
    });
    socket.on('end', () => finish('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => finish(error.code === 'ECONNREFUSED' ? 'refused' : 'reset'));
    const all = { host: 'localhost', connection: 'close', 'content-length': String(Buffer.byteLength(body)), ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  });
}

/** The body of an exchange, its chunks put together. A body that was cut gives what came. */
export function bodyOf({ text }: RawExchange): string {
  const start = text.indexOf('\r\n\r\n') + 4;
  const [head, body] = [text.slice(0, start).toLowerCase(), text.slice(start)];
  if (!head.includes('transfer-encoding: chunked')) return body;
  let whole = '';
  for (let at = 0; at < body.length; ) {
    const lineEnd = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.slice(at, lineEnd), 16);
    if (lineEnd < 0 || !size) break;
    whole += body.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
  return whole;
}

/** A chunked message that ended as it should. */
export function endsCleanly({ text, ended }: RawExchange): boolean {
  return ended === 'end' && text.endsWith('0\r\n\r\n');
}
