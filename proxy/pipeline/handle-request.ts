import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorEvent } from '../formats/openai/error-body.ts';
import type { Operation } from '../formats/openai/operations.ts';
import { readRequest } from '../formats/openai/read-request.ts';
import type { RetryBudget } from '../routing/retry-budget.ts';
import type { ServingConfig, ServingRoute } from '../routing/serving-config.ts';
import type { BodyBudget } from '../server/body-budget.ts';
import { readBody } from '../server/read-body.ts';
import type { RequestMetrics } from '../telemetry/request-metrics.ts';
import { ClientStream } from './client-stream.ts';
import { type ChainDependencies, type ChainResult, ChainRun } from './run-chain.ts';
import { type Refusal, writeExhausted, writeFinal, writeRefusal } from './write-failure.ts';

export interface RequestDependencies extends ChainDependencies {
  serving(): ServingConfig | undefined;
  budget(route: string): RetryBudget;
  metrics: RequestMetrics;
  bodies: BodyBudget;
}

/** The whole way of a request: body, route, chain, answer. */
export async function handleRequest(
  deps: RequestDependencies,
  operation: Operation,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const startedAt = deps.clock();
  if (request.method !== 'POST') return writeRefusal(response, methodNotAllowed(request));
  let held = 0;
  const hold = (bytes: number): boolean => {
    if (!deps.bodies.take(bytes)) return false;
    held += bytes;
    return true;
  };
  response.once('close', () => deps.bodies.give(held));
  const body = await readBody(request, deps.limits.bodyBytes, hold);
  if (body === 'aborted') return;
  if (body === 'noRoom') return refuseForRoom(deps, response);
  if (body === 'tooLarge') return writeRefusal(response, tooLarge(deps.limits.bodyBytes));

  const asked = readRequest(body);
  if ('problem' in asked) return writeRefusal(response, badRequest(asked.problem, asked.param));
  const serving = deps.serving();
  if (serving === undefined) return writeRefusal(response, NOT_CONFIGURED);
  const route = serving.routesByModel.get(asked.model);
  if (route === undefined) return writeRefusal(response, unknownModel(asked.model, serving));

  const sink = new ClientStream(response, () => {
    deps.metrics.onStreamBegin();
    return understudyHeaders(route, run);
  });
  const run = new ChainRun(deps, {
    route,
    budget: deps.budget(route.route.name),
    operation,
    url: request.url ?? '/',
    clientHeaders: request.headers,
    asked,
    sink,
  });
  const onClose = () => {
    if (!response.writableFinished) run.abort();
  };
  response.once('close', onClose);
  if (response.destroyed) run.abort();
  const result = await run.run();
  if (sink.hasBegun) deps.metrics.onStreamEnd();
  if (result.kind === 'streamed' || result.kind === 'broken') deps.metrics.onFirstToken(result.target, result.firstContentMs);
  response.off('close', onClose);
  answer(response, route, run, result);
  boundSlowClient(response, deps.limits.slowClient);
  deps.metrics.onRequest(
    route.route.name,
    operation,
    result.kind === 'aborted' ? 499 : response.statusCode,
    result.kind,
    deps.clock() - startedAt,
  );
  if (run.attempts.length > 1 || result.kind === 'failed' || result.kind === 'broken') {
    deps.logger.info(
      { route: route.route.name, operation, result: result.kind, status: response.statusCode, attempts: run.attempts },
      'request needed more than its first attempt',
    );
  }
}

function answer(response: ServerResponse, route: ServingRoute, run: ChainRun, result: ChainResult): void {
  const headers = understudyHeaders(route, run);
  switch (result.kind) {
    case 'answer': {
      const { status, body } = result.outcome;
      response.writeHead(status, [...result.outcome.headers, ...headers, 'content-length', String(body.length)]);
      response.end(body);
      return;
    }
    case 'streamed':
      response.end();
      return;
    case 'broken': {
      const { code, message } = result.failure;
      const said = `The stream of ${result.target.target.id} broke off after content had been sent: ${message}. The answer is not whole.`;
      response.end(errorEvent({ message: said, type: 'upstream_error', param: null, code }));
      return;
    }
    case 'failed':
      if (result.final !== undefined) writeFinal(response, result.final, headers);
      else writeExhausted(response, route.route.name, result.failures, run.attempts, headers);
      return;
    case 'aborted':
      response.destroy();
      return;
  }
}

/** What is left in the buffers goes to the client in bounded time, or not at all. */
function boundSlowClient(response: ServerResponse, limit: number): void {
  if ((response.socket?.writableLength ?? 0) === 0) return;
  const timer = setTimeout(() => response.destroy(), limit);
  response.once('close', () => clearTimeout(timer));
}

/** Who answered, after how many attempts, and by which route: a flat list. */
function understudyHeaders(route: ServingRoute, run: ChainRun): string[] {
  const target = run.current?.target.id ?? '';
  return ['x-understudy-route', route.route.name, 'x-understudy-target', target, 'x-understudy-attempts', String(run.started)];
}

function refuseForRoom(deps: RequestDependencies, response: ServerResponse): void {
  deps.metrics.onOverload();
  writeRefusal(response, NO_ROOM);
}

const NO_ROOM: Refusal = {
  status: 503,
  message: 'This proxy holds as many bytes of requests as it may at once. Try again shortly.',
  type: 'server_error',
  code: 'too_many_bytes_at_once',
  headers: { 'retry-after': '1', connection: 'close' },
};

const NOT_CONFIGURED: Refusal = {
  status: 503,
  message: 'This proxy has no config yet: it waits for its operator.',
  type: 'server_error',
  code: 'not_configured',
  headers: { 'retry-after': '1' },
};

function methodNotAllowed(request: IncomingMessage): Refusal {
  const message = `Not allowed to ${request.method} on ${request.url}: use POST.`;
  return { status: 405, message, type: 'invalid_request_error', code: 'method_not_allowed', headers: { allow: 'POST' } };
}

function tooLarge(limit: number): Refusal {
  const message = `The request body is larger than ${limit} bytes.`;
  return {
    status: 413,
    message,
    type: 'invalid_request_error',
    code: 'request_too_large',
    headers: { connection: 'close' },
  };
}

function badRequest(problem: string, param: string | null): Refusal {
  return { status: 400, message: problem, type: 'invalid_request_error', code: 'invalid_request', param };
}

function unknownModel(model: string, serving: ServingConfig): Refusal {
  const known = [...serving.routesByModel.keys()].slice(0, 20).join(', ') || 'none';
  const message = `The model \`${model.slice(0, 128)}\` is not served here. Models of this proxy: ${known}.`;
  return { status: 404, message, type: 'invalid_request_error', code: 'model_not_found', param: 'model' };
}
