import { createServer, type Server } from 'node:http';
import express, { type Express } from 'express';
import type { Registry } from 'prom-client';

export interface AdminState {
  /** Why the proxy is not ready, or `undefined` when it is. */
  notReady(): string | undefined;
}

/** Health, readiness and metrics, for Kubernetes and people. Not in the way of a request, so a framework serves it. */
export function createAdminServer(state: AdminState, registry: Registry, more?: (app: Express) => void): Server {
  const app = express();
  app.disable('x-powered-by');
  app.get('/healthz', (_, response) => {
    response.type('text/plain').send('ok\n');
  });
  app.get('/readyz', (_, response) => {
    const reason = state.notReady();
    response
      .status(reason === undefined ? 200 : 503)
      .type('text/plain')
      .send(`${reason ?? 'ok'}\n`);
  });
  app.get('/metrics', async (_, response) => {
    response.type(registry.contentType).send(await registry.metrics());
  });
  more?.(app);
  return createServer({ requestTimeout: 30_000, headersTimeout: 10_000, maxHeaderSize: 16 * 1024 }, app);
}
