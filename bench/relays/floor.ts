import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';

/**
 * The floor: what Node costs at the least for a relay that knows which model is asked for. It reads the body, parses it once, and
 * relays with undici's `dispatch`, with keep-alive and backpressure on both sides. No routing, no timers, no checks.
 *
 * Usage: `node bench/relays/floor.ts PORT UPSTREAM_PORT`
 */
const [port, upstreamPort] = process.argv.slice(2);
const upstream = new Pool(`http://127.0.0.1:${upstreamPort}`, { pipelining: 1, keepAliveTimeout: 60_000 });

/** Headers of one connection, which a relay must not hand on, and those that undici sets itself. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'expect',
]);

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => relay(request, response, chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
});
server.listen(Number(port), '127.0.0.1');

function relay(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  let model: unknown;
  try {
    model = JSON.parse(body.toString()).model;
  } catch {
    model = undefined;
  }
  if (typeof model !== 'string') {
    answerError(response, 400, 'the body is not JSON with a model');
    return;
  }
  const headers: string[] = [];
  const given = request.rawHeaders;
  for (let i = 0; i < given.length; i += 2) {
    if (!HOP_BY_HOP.has(given[i]!.toLowerCase())) headers.push(given[i]!, given[i + 1]!);
  }
  upstream.dispatch({ path: request.url!, method: 'POST', headers, body }, new Relay(response));
}

class Relay implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#response.on('close', () => {
      if (!this.#response.writableEnded) controller.abort(new Error('the client went away'));
    });
    this.#response.on('drain', () => controller.resume());
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    const out: string[] = [];
    for (const name in headers) {
      if (HOP_BY_HOP.has(name)) continue;
      const value = headers[name]!;
      if (typeof value === 'string') out.push(name, value);
      else for (const one of value) out.push(name, one);
    }
    this.#response.writeHead(status, out);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#response.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#response.headersSent) this.#response.destroy();
    else answerError(this.#response, 502, error.message);
  }
}

function answerError(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { message, type: 'relay_error', param: null, code: null } }));
}
