import { isDeepStrictEqual } from 'node:util';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';

/** What a request needs beside its path. */
export interface Connection {
  server: string;
  headers: Record<string, string>;
  dispatcher: Dispatcher;
}

export interface ConnectionSource {
  /** Reads credentials again, so that a rotated token or certificate is used from then on. */
  current(): Promise<Connection>;
  close(): Promise<void>;
}

type TlsMaterial = NonNullable<Parameters<KubeConfig['createDispatcherOptions']>[1]>;

const CONNECT_TIMEOUT_MS = 5_000;
/** Each informer holds one connection for its watch; the rest is for calls. A call that finds none free waits within its own time limit. */
const MAX_CONNECTIONS = 64;

/**
 * Connections as the kubeconfig says. `KubeConfig` builds a new pool for every request (2.0.1); here one pool is kept for as long as
 * the certificates stay the same. HTTP/1.1 on purpose: with HTTP/2 all watches and the Lease share one connection, and one dead
 * connection would silence them all.
 */
export function createConnectionSource(kubeConfig: KubeConfig): ConnectionSource {
  const cluster = kubeConfig.getCurrentCluster();
  if (!cluster) throw new TypeError('the kubeconfig names no current cluster: set current-context, or run inside of a cluster');

  let present: { material: TlsMaterial; dispatcher: Dispatcher } | undefined;

  function dispatcherFor(material: TlsMaterial): Dispatcher {
    if (present && isDeepStrictEqual(present.material, material)) return present.dispatcher;
    const outdated = present?.dispatcher;
    present = { material, dispatcher: createDispatcher(kubeConfig, material) };
    // Ends when its open watches end; they go on with the certificate that they began with.
    outdated?.close().catch(() => undefined);
    return present.dispatcher;
  }

  return {
    async current() {
      const options: Parameters<KubeConfig['applyToHTTPSOptions']>[0] = {};
      await kubeConfig.applyToHTTPSOptions(options);
      const { ca, cert, key, pfx, passphrase, rejectUnauthorized } = options;
      const servername = 'servername' in options ? options.servername : undefined;
      const material = defined({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }) as TlsMaterial;
      const headers = { ...(options.headers as Record<string, string> | undefined) };
      if (options.auth) headers.Authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
      return { server: cluster.server.replace(/\/+$/, ''), headers, dispatcher: dispatcherFor(material) };
    },
    async close() {
      await present?.dispatcher.destroy();
    },
  };
}

function createDispatcher(kubeConfig: KubeConfig, material: TlsMaterial): Dispatcher {
  const limits = { connections: MAX_CONNECTIONS, pipelining: 1, allowH2: false };
  const options = kubeConfig.createDispatcherOptions(kubeConfig.getCurrentCluster(), material);
  switch (options.type) {
    case 'none':
      return new Agent({ ...limits, connect: { timeout: CONNECT_TIMEOUT_MS } });
    case 'agent':
      return new Agent({ ...limits, connect: { ...(options.connect as object), timeout: CONNECT_TIMEOUT_MS } });
    case 'proxy':
      return new ProxyAgent({
        ...limits,
        uri: options.uri,
        requestTls: { ...(options.requestTls as object), timeout: CONNECT_TIMEOUT_MS },
      });
    case 'socks':
      throw new TypeError('a SOCKS proxy-url in the kubeconfig is not supported: use an http or https one');
  }
}

function defined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
