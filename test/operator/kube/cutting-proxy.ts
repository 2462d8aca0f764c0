import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';

/** What a connection meets. `Frozen` ones stay open and carry nothing: a peer that died without a word. */
export type Weather = 'Clear' | 'Refused' | 'Frozen';

/** A TCP proxy before the API server that breaks on purpose. */
export interface CuttingProxy {
  /** Path of a kubeconfig that goes through this proxy. */
  kubeconfig: string;
  setWeather(weather: Weather): void;
  /** Cuts every connection that is open now. */
  cutAll(): void;
  /** From now on each connection is cut after as many bytes from the server as this says; `undefined` ends it. */
  cutAfter(bytes: (() => number) | undefined): void;
  /** Connections cut so far. */
  cuts(): number;
  close(): Promise<void>;
}

export async function startCuttingProxy(target: string, adminKubeconfig: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let weather: Weather = 'Clear';
  let nextCut: (() => number) | undefined;
  let cuts = 0;

  const server = createServer((client) => {
    if (weather === 'Refused') return client.destroy();
    const upstream = connect(Number(port), hostname);
    const end = () => {
      client.destroy();
      upstream.destroy();
      open.delete(client);
    };
    open.add(client);
    client.on('error', end).on('close', end);
    upstream.on('error', end).on('close', end);
    client.on('data', (chunk) => weather !== 'Frozen' && upstream.write(chunk));
    let left = nextCut?.();
    upstream.on('data', (chunk) => {
      if (weather === 'Frozen') return;
      left ??= nextCut?.();
      if (left === undefined || chunk.length < left) {
        if (left !== undefined) left -= chunk.length;
        client.write(chunk);
      } else {
        // Half an event, or half a TLS record, still goes out: the reader must not take it for a whole one.
        client.write(chunk.subarray(0, left), end);
        cuts += 1;
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const kubeconfig = join(dirname(adminKubeconfig), `proxied-${(server.address() as AddressInfo).port}.kubeconfig`);
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(kubeconfig, readFileSync(adminKubeconfig, 'utf8').replaceAll(target, url));

  return {
    kubeconfig,
    setWeather(next) {
      weather = next;
    },
    cutAll() {
      cuts += open.size;
      for (const client of open) client.destroy();
    },
    cutAfter(bytes) {
      nextCut = bytes;
    },
    cuts: () => cuts,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const client of open) client.destroy();
      }),
  };
}
