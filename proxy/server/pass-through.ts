import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import httpProxy from 'http-proxy';
import { answerHeaders, withoutKey } from '../attempt/answer-headers.ts';
import { pathBelowBase } from '../formats/openai/operations.ts';
import type { Limits } from '../limits.ts';
import { type Refusal, writeRefusal } from '../pipeline/write-failure.ts';
import type { CredentialSource } from '../proxy.ts';
import { MISSING_KEY, readKey } from '../routing/read-key.ts';
import type { ServingConfig, ServingRoute, ServingTarget } from '../routing/serving-config.ts';
import { readBody } from './read-body.ts';

/** An error is read so far: enough for every provider's error object. */
const ERROR_BODY_BYTES = 256 * 1024;
/** What applications send to identify themselves: never for a provider. */
const CLIENT_SECRETS = [
  'authorization',
  'api-key',
  'x-api-key',
  'cookie',
  'proxy-authorization',
  'openai-organization',
  'openai-project',
];
/** Browsers can't set headers on a WebSocket, so OpenAI's clients put their key, organization and project among its protocols. */
const SECRET_PROTOCOL = /^openai-(insecure-api-key|organization|project)\./;

export interface PassThroughDependencies {
  serving(): ServingConfig | undefined;
  /** The target that is on stage in a route. */
  active(route: ServingRoute): ServingTarget;
  credentials: CredentialSource;
  limits: Limits;
  onFailure(error: Error, target: ServingTarget): void;
}

interface Choice {
  route: ServingRoute;
  target: ServingTarget;
  key: string | undefined;
}

/**
 * Paths that are not understood (files, audio, images, realtime) go, as they are, to the present target of a route. There is no failover
 * within such a request: its body may be gone, and its meaning is not known.
 */
export class PassThrough {
  readonly #deps: PassThroughDependencies;
  readonly #proxy = httpProxy.createProxyServer({
    changeOrigin: true,
    ignorePath: true,
    selfHandleResponse: true,
  });
  readonly #choices = new WeakMap<IncomingMessage, Choice>();
  readonly #sockets = new Set<Duplex>();

  constructor(dependencies: PassThroughDependencies) {
    this.#deps = dependencies;
    this.#proxy.on('proxyRes', (answer: IncomingMessage, request: IncomingMessage, response: ServerResponse) =>
      this.#answer(answer, request, response),
    );
    this.#proxy.on('proxyReqWs', (upstream: ClientRequest, request: IncomingMessage, socket: Duplex) =>
      this.#watchUpgrade(upstream, request, socket),
    );
    this.#proxy.on('error', (error: Error, request: IncomingMessage, target: unknown) => this.#fail(error, request, target));
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    const choice = this.#choose(request);
    if ('status' in choice) return writeRefusal(response, choice);
    this.#prepare(request, choice);
    response.once('close', () => {
      if (!response.writableFinished) request.destroy();
    });
    this.#proxy.web(request, response, {
      target: urlOf(choice.target, request),
      proxyTimeout: choice.route.route.timeouts.total,
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const choice: Choice | Refusal = (request.url ?? '').startsWith('/v1/') ? this.#choose(request) : NOT_FOUND;
    const refusal =
      'status' in choice ? choice : this.#sockets.size >= this.#deps.limits.concurrentRequests ? TOO_MANY_SOCKETS : undefined;
    if (refusal !== undefined || 'status' in choice) {
      return endSocket(socket, refusal?.status ?? 400, refusal?.message ?? '');
    }
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#prepare(request, choice);
    this.#proxy.ws(request, socket, head, { target: urlOf(choice.target, request) });
  }

  /** Cuts what is open: realtime sessions have no end of their own. */
  closeSockets(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #choose(request: IncomingMessage): Choice | Refusal {
    const serving = this.#deps.serving();
    if (serving === undefined || serving.routes.length === 0) return NOT_CONFIGURED;
    const route = routeOf(request, serving);
    if (route === undefined) return ambiguous(serving);
    const target = this.#deps.active(route);
    const key = readKey(this.#deps.credentials, target);
    if (key === MISSING_KEY) return missingKey(target);
    return { route, target, key };
  }

  #prepare(request: IncomingMessage, choice: Choice): void {
    this.#choices.set(request, choice);
    for (const name of CLIENT_SECRETS) delete request.headers[name];
    const protocols = withoutSecrets(request.headers['sec-websocket-protocol'] ?? '');
    if (protocols === '') delete request.headers['sec-websocket-protocol'];
    else request.headers['sec-websocket-protocol'] = protocols;
    // So that a key which an error quotes can be found there.
    request.headers['accept-encoding'] = 'identity';
    for (const name of Object.keys(request.headers)) if (name.startsWith('x-understudy-')) delete request.headers[name];
    if (choice.key !== undefined) request.headers.authorization = `Bearer ${choice.key}`;
  }

  #answer(answer: IncomingMessage, request: IncomingMessage, response: ServerResponse): void {
    const choice = this.#choices.get(request);
    if (choice === undefined) return void response.destroy();
    const status = answer.statusCode ?? 502;
    if (status >= 400) {
      const isEncoded = (answer.headers['content-encoding'] ?? 'identity') !== 'identity';
      readBody(answer, ERROR_BODY_BYTES).then((body) => {
        if (response.destroyed) return;
        const refusal = refusalOf(status, isEncoded ? 'encoded' : body, choice);
        if (refusal !== undefined) return writeRefusal(response, refusal);
        const clean = withoutKey(body as Buffer, choice.key);
        response.writeHead(status, [...headersOf(answer, choice), 'content-length', String(clean.length)]);
        response.end(clean);
      });
      return;
    }
    const length = answer.headers['content-length'];
    response.writeHead(
      status,
      length === undefined ? headersOf(answer, choice) : [...headersOf(answer, choice), 'content-length', length],
    );
    answer.on('error', () => response.destroy());
    answer.on('aborted', () => response.destroy());
    answer.pipe(response);
  }

  /** A session that is refused: the client learns why, but not in words that may quote the key. */
  #watchUpgrade(upstream: ClientRequest, request: IncomingMessage, socket: Duplex): void {
    const choice = this.#choices.get(request);
    // A provider that hangs, or a client that has gone unseen (nothing of its socket is read yet), must not keep the session half open.
    const limit = setTimeout(
      () => upstream.destroy(new Error('no answer to the upgrade in time')),
      choice?.route.route.timeouts.firstContent,
    );
    upstream.once('upgrade', () => clearTimeout(limit));
    upstream.once('close', () => clearTimeout(limit));
    socket.once('close', () => upstream.destroy());
    // The library's own listener would pass the refusal on as it came; it is set right after this event.
    queueMicrotask(() => {
      upstream.removeAllListeners('response');
      upstream.on('response', (answer: IncomingMessage) => {
        answer.resume();
        endSocket(
          socket,
          answer.statusCode ?? 502,
          `${choice?.target.target.id ?? 'the provider'} refused the session (${answer.statusCode})`,
        );
      });
    });
  }

  #fail(error: Error, request: IncomingMessage, client: unknown): void {
    const choice = this.#choices.get(request);
    if (choice !== undefined) this.#deps.onFailure(error, choice.target);
    const response = client as Partial<ServerResponse> & Duplex;
    if (typeof response.writeHead !== 'function') return void response.destroy();
    if (response.headersSent === true) response.destroy();
    else
      writeRefusal(response as ServerResponse, {
        status: 502,
        message: 'The provider could not be reached on this path.',
        type: 'server_error',
        code: 'connection_error',
      });
  }
}

/** Providers quote the key that they refuse: their words on that stay here. So does an error that is too large, or not plain enough, to be looked through. */
function refusalOf(
  status: number,
  body: Buffer | 'tooLarge' | 'noRoom' | 'aborted' | 'encoded',
  { target }: Choice,
): Refusal | undefined {
  if (status === 401 || status === 403) return refusedKey(target, status);
  if (typeof body !== 'string') return undefined;
  return {
    status: 502,
    message: `The provider answered ${status} without a readable body.`,
    type: 'server_error',
    code: `http_${status}`,
  };
}

function withoutSecrets(protocols: string): string {
  return protocols
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => !SECRET_PROTOCOL.test(protocol))
    .join(', ');
}

function headersOf(answer: IncomingMessage, { key, route, target }: Choice): string[] {
  return [
    ...answerHeaders(answer.headers, key),
    ...['x-understudy-route', route.route.name, 'x-understudy-target', target.target.id, 'x-understudy-attempts', '1'],
  ];
}

/** Refuses a session. The socket is not left half open: nobody reads it, so nobody would see the client close it. */
export function endSocket(socket: Duplex, status: number, message: string): void {
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
  );
}

function urlOf(target: ServingTarget, request: IncomingMessage): string {
  return target.origin + target.basePath + pathBelowBase(request.url ?? '/');
}

/** The route is told by `?model=`, by `x-understudy-route`, or by being the only one. */
function routeOf(request: IncomingMessage, serving: ServingConfig): ServingRoute | undefined {
  const model = new URL(request.url ?? '/', 'http://proxy').searchParams.get('model');
  const byModel = model === null ? undefined : serving.routesByModel.get(model);
  if (byModel !== undefined) return byModel;
  const name = request.headers['x-understudy-route'];
  if (name !== undefined) return serving.routes.find(({ route }) => route.name === name);
  return serving.routes.length === 1 ? serving.routes[0] : undefined;
}

const NOT_FOUND: Refusal = {
  status: 404,
  message: 'Unknown path: this proxy serves /v1/.',
  type: 'invalid_request_error',
  code: 'unknown_url',
};
const NOT_CONFIGURED: Refusal = {
  status: 503,
  message: 'This proxy has no route yet.',
  type: 'server_error',
  code: 'not_configured',
  headers: { 'retry-after': '1' },
};
const TOO_MANY_SOCKETS: Refusal = {
  status: 503,
  message: 'This proxy holds as many sessions as it may.',
  type: 'server_error',
  code: 'too_many_requests_at_once',
};

function ambiguous(serving: ServingConfig): Refusal {
  const names = serving.routes
    .map(({ route }) => route.name)
    .slice(0, 20)
    .join(', ');
  const message = `This path is passed through as it is, and does not tell which route is meant: name one in the header x-understudy-route (${names}).`;
  return { status: 400, message, type: 'invalid_request_error', code: 'route_not_told' };
}

function missingKey(target: ServingTarget): Refusal {
  return {
    status: 503,
    message: `The key of ${target.target.endpoint} is missing.`,
    type: 'server_error',
    code: 'credentials_missing',
  };
}

function refusedKey(target: ServingTarget, status: number): Refusal {
  return {
    status: 503,
    message: `The provider refuses the key of ${target.target.endpoint} (${status}).`,
    type: 'server_error',
    code: 'credentials_refused',
  };
}
