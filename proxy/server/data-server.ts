import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { operationOf } from '../formats/openai/operations.ts';
import type { Limits } from '../limits.ts';
import { handleRequest, type RequestDependencies } from '../pipeline/handle-request.ts';
import { writeRefusal } from '../pipeline/write-failure.ts';
import { listModels } from './list-models.ts';
import { endSocket, type PassThrough } from './pass-through.ts';

/** How many more connections than requests are held: clients keep idle ones. */
const CONNECTIONS_PER_REQUEST = 4;

export interface DataServer {
  server: Server;
  /** Requests that are being answered now. */
  running(): number;
  /** Connections of clients, idle ones too. */
  connections(): number;
  /** From now on each answer is the last one of its connection, and says so: clients take their next request elsewhere. */
  retireConnections(): void;
}

/** The applications' side, on bare `node:http`: a framework's layers cost more than the rest of the way. */
export function createDataServer(deps: RequestDependencies, passThrough: PassThrough, limits: Limits): DataServer {
  let running = 0;
  let connections = 0;
  let retiring = false;
  const unanswered = new Set<ServerResponse>();
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (running >= limits.concurrentRequests) {
      deps.metrics.onOverload();
      return writeRefusal(response, TOO_MANY);
    }
    running += 1;
    unanswered.add(response);
    response.once('close', () => {
      running -= 1;
      unanswered.delete(response);
    });
    if (retiring) makeLast(response);
    dispatch(deps, passThrough, request, response).catch((error: unknown) => {
      deps.logger.error({ err: error, url: pathOf(request) }, 'a request failed within the proxy');
      if (response.headersSent) response.destroy();
      else writeRefusal(response, INTERNAL);
    });
  };
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeout,
      requestTimeout: limits.requestTimeout,
      keepAliveTimeout: limits.idleSocketTimeout,
      noDelay: true,
      // Java's client offers h2c with every first request: an offer that is not taken up must not be taken for a session (RFC 9110, 7.8).
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    handle,
  );
  server.maxConnections = limits.concurrentRequests * CONNECTIONS_PER_REQUEST;
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node leaves this socket to us. An error that nobody listens to, or that is thrown here, would end the process.
    socket.on('error', () => socket.destroy());
    try {
      const plain = plainURL(request.url);
      if (plain === undefined) return endSocket(socket, NOT_AN_ADDRESS.status, NOT_AN_ADDRESS.message);
      request.url = plain;
      passThrough.upgrade(request, socket, head);
    } catch (error) {
      deps.logger.error({ err: error, url: pathOf(request) }, 'a session failed within the proxy');
      endSocket(socket, INTERNAL.status, INTERNAL.message);
    }
  });
  server.on('connection', (socket) => {
    connections += 1;
    socket.once('close', () => {
      connections -= 1;
    });
  });
  return {
    server,
    running: () => running,
    connections: () => connections,
    retireConnections() {
      retiring = true;
      for (const response of unanswered) makeLast(response);
    },
  };
}

function makeLast(response: ServerResponse): void {
  // An answer that has begun can't say it any more: its connection ends right behind it.
  const { socket } = response;
  if (response.headersSent) response.once('finish', () => socket?.destroySoon());
  else response.shouldKeepAlive = false;
}

async function dispatch(
  deps: RequestDependencies,
  passThrough: PassThrough,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const operation = operationOf(request.url ?? '/');
  if (operation !== undefined) return handleRequest(deps, operation, request, response);
  const plain = plainURL(request.url);
  if (plain === undefined) return writeRefusal(response, NOT_AN_ADDRESS);
  request.url = plain;
  // A whole URL, or a slash too many, must not make a request lose its failover.
  const meant = operationOf(plain);
  if (meant !== undefined) return handleRequest(deps, meant, request, response);
  const path = pathOf(request);
  if (request.method === 'GET' && (path === '/v1/models' || path.startsWith('/v1/models/')))
    return listModels(deps.serving(), path, response);
  if (path.startsWith('/v1/')) return passThrough.request(request, response);
  writeRefusal(response, {
    status: 404,
    message: `Unknown path ${path}: this proxy serves /v1/.`,
    type: 'invalid_request_error',
    code: 'unknown_url',
  });
}

/**
 * Without `..` and its disguises, since a path that climbs must not reach what lies beside a provider's base path; and without doubled slashes,
 * as clients make them of a base URL that ends in one. `undefined` when it is no URL.
 */
function plainURL(url = '/'): string | undefined {
  const parsed = URL.parse(url.replace(/^\/+/, '/'), 'http://proxy');
  return parsed === null ? undefined : parsed.pathname.replace(/\/{2,}/g, '/') + parsed.search;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] as string;
}

const TOO_MANY = {
  status: 503,
  message: 'This proxy answers as many requests as it may at once. Try again shortly.',
  type: 'server_error',
  code: 'too_many_requests_at_once',
  headers: { 'retry-after': '1', connection: 'close' },
};

const NOT_AN_ADDRESS = {
  status: 400,
  message: 'The request target is no URL. This proxy serves /v1/.',
  type: 'invalid_request_error',
  code: 'invalid_url',
};

const INTERNAL = {
  status: 500,
  message: 'The proxy failed on this request; its log says why.',
  type: 'server_error',
  code: 'internal_error',
};
