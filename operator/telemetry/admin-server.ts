import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Registry } from 'prom-client';

export interface AdminServerOptions {
  listen: { host: string; port: number };
  /** Asked at each scrape, since a term of leadership has its own. */
  registries: () => Registry[];
  /** What keeps the operator from being ready; `undefined` when nothing does. */
  notReady: () => string | undefined;
}

export interface AdminServer {
  start(): Promise<{ host: string; port: number }>;
  stop(): Promise<void>;
}

/** Health and metrics, for the kubelet and for Prometheus. */
export function createAdminServer({ listen, registries, notReady }: AdminServerOptions): AdminServer {
  const app = express();
  app.disable('x-powered-by');
  app.get('/healthz', (_request, response) => void response.type('text').send('ok\n'));
  app.get('/readyz', (_request, response) => {
    const reason = notReady();
    response
      .status(reason === undefined ? 200 : 503)
      .type('text')
      .send(`${reason ?? 'ok'}\n`);
  });
  app.get('/metrics', async (_request, response) => {
    const merged = Registry.merge(registries());
    response.type(merged.contentType).send(await merged.metrics());
  });
  let server: Server | undefined;
  return {
    start: () =>
      new Promise((resolve, reject) => {
        server = app.listen(listen.port, listen.host, (error?: Error) => {
          if (error) return reject(error);
          const { address, port } = server!.address() as AddressInfo;
          resolve({ host: address, port });
        });
      }),
    stop: () =>
      new Promise((resolve) => {
        if (!server?.listening) return resolve();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
