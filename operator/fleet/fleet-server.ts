import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { FLEET_PATHS, type ProxyReport, type ReportAnswer } from '../../contract/fleet.ts';
import type { Clock } from '../kube/clock.ts';
import { ACCEPTED_FOR_MS, type AuthenticateProxy, type ProxyIdentity } from './authenticate-proxy.ts';
import type { CertificateAuthority } from './certificate-authority.ts';
import { createConfigStreams } from './config-streams.ts';
import type { Fleet } from './fleet.ts';
import { createFleetMetrics } from './fleet-metrics.ts';
import { createQuietWarnings } from './quiet-warnings.ts';
import { createReportReader, maxReportBytes } from './read-report.ts';
import { createReportStore } from './report-store.ts';

/** Two connections for each of the streams that are allowed, and room for those that are being refused. */
const MAX_CONNECTIONS = 10_000;
/** A token has about 1 kB; nothing else in a request's head is long. */
const MAX_HEADER_BYTES = 16 * 1024;
/** Who is slower than this with a handshake, a head or a body is not a proxy with news, but holds a connection. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const TIMEOUT_CHECK_INTERVAL_MS = 2_000;
/** Longer than the interval of reports, so that a proxy's connection is used again. */
const KEEP_ALIVE_TIMEOUT_MS = 30_000;
const SWEEP_INTERVAL_MS = 1_000;
/** When the operator stops, streams are ended in order; what is still open after this is cut. */
const STOP_GRACE_MS = 2_000;
const RETRY_AFTER_SECONDS = '1';

export interface FleetServerOptions {
  listen: { host: string; port: number };
  authenticate: AuthenticateProxy;
  /** Started already. */
  certificates: Pick<CertificateAuthority, 'serving' | 'onChange'>;
  clock: Clock;
  logger: Logger;
  registry: Registry;
}

/** The proxies' counterpart. Any replica of the operator may serve; a proxy is known to the one that it is connected to. */
export interface FleetServer extends Fleet {
  start(): Promise<{ host: string; port: number }>;
  stop(): Promise<void>;
}

export function createFleetServer(options: FleetServerOptions): FleetServer {
  const { listen, authenticate, certificates, clock, logger, registry } = options;
  const metrics = createFleetMetrics(registry, () => streams.connected());
  const reports = createReportStore(clock);
  const readReport = createReportReader();
  const streams = createConfigStreams({
    clock,
    onPush: () => metrics.pushes.inc(),
    onSlowReader(identity) {
      metrics.slowReaders.inc();
      warn('SlowReader', identity, 'a proxy does not read its config stream: it is cut, and may connect again');
    },
  });
  const warn = createQuietWarnings(logger, clock);
  let cancelSweep: (() => void) | undefined;
  let stopEvents: (() => void) | undefined;

  const server = createServer(
    {
      ...tlsOptions(),
      maxHeaderSize: MAX_HEADER_BYTES,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
    },
    (request, response) => {
      handle(request, response).catch((error: unknown) => {
        logger.error({ err: error }, 'a request of a proxy failed');
        response.destroy();
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on('tlsClientError', (error) => logger.debug({ err: error }, 'a TLS handshake failed'));

  function tlsOptions() {
    const { certificate, key } = certificates.serving();
    return { cert: certificate, key, minVersion: 'TLSv1.3' as const };
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', (error) => logger.debug({ err: error }, 'an answer to a proxy broke off'));
    const url = new URL(request.url ?? '/', 'https://operator');
    const route = `${request.method} ${url.pathname}`;
    if (route !== `GET ${FLEET_PATHS.config}` && route !== `POST ${FLEET_PATHS.report}`) {
      return refuse(response, 404, `there is only GET ${FLEET_PATHS.config} and POST ${FLEET_PATHS.report}`);
    }
    const identity = await identify(request, response, url.searchParams.get('namespace'));
    if (identity === undefined) return;
    if (url.pathname === FLEET_PATHS.config) openStream(identity, request, response);
    else await takeReport(identity, request, response);
  }

  /** Answers for itself, and gives nothing, when the token is not good for this request. */
  async function identify(
    request: IncomingMessage,
    response: ServerResponse,
    askedFor: string | null,
  ): Promise<ProxyIdentity | undefined> {
    const authentication = await authenticate(request.headers.authorization, request.socket.remoteAddress);
    if (authentication.outcome === 'Accepted') {
      const { identity } = authentication;
      if (askedFor === null || askedFor === identity.namespace) return identity;
      refuseToken(response, 403, 'OtherNamespace', `a token of namespace ${identity.namespace} was shown for another namespace`);
      return undefined;
    }
    const status = { Unauthenticated: 401, Forbidden: 403, Unavailable: 503 }[authentication.outcome];
    refuseToken(response, status, authentication.outcome, authentication.message);
    return undefined;
  }

  function refuseToken(response: ServerResponse, status: number, reason: string, message: string): void {
    metrics.refusedTokens.inc({ reason });
    warn(reason, { peer: response.req.socket.remoteAddress, detail: message }, 'a token was refused');
    refuse(response, status, message);
  }

  function openStream(identity: ProxyIdentity, request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    if (streams.open(identity, response) === 'Full') return refuse(response, 503, 'too many config streams are open');
    watchToken(identity, request, response);
  }

  /**
   * A stream lives long: its token is looked at again while it is open. The review of the proxy's reports mostly answers for it. An expired
   * one ends the stream too, and the proxy comes back with the one that has replaced it; an API server that is away ends none.
   */
  function watchToken(identity: ProxyIdentity, { headers, socket }: IncomingMessage, response: ServerResponse): void {
    const { authorization } = headers;
    const peer = socket.remoteAddress;
    let cancel: () => void;
    const plan = () => {
      cancel = clock.schedule(async () => {
        const { outcome } = await authenticate(authorization, peer);
        if (response.closed) return;
        if (outcome === 'Accepted' || outcome === 'Unavailable') return plan();
        metrics.refusedTokens.inc({ reason: outcome });
        logger.info({ ...identity, outcome }, 'a config stream is ended, for its token is no longer good');
        response.destroy();
      }, ACCEPTED_FOR_MS);
    };
    plan();
    response.once('close', () => cancel());
  }

  async function takeReport(identity: ProxyIdentity, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const read = await readReport(request, maxReportBytes(streams.published(identity.namespace)?.message.byteLength ?? 0));
    if (read.outcome !== 'Read') {
      metrics.refusedReports.inc({ reason: read.outcome });
      if (read.outcome === 'BrokenOff') return void response.destroy();
      warn(read.outcome, { ...identity, detail: read.message }, 'a report was refused');
      return refuse(response, { TooLarge: 413, Busy: 503, Invalid: 400 }[read.outcome], read.message);
    }
    const { report } = read;
    if (identity.pod !== undefined && identity.pod !== report.proxy) {
      return refuseToken(response, 403, 'OtherPod', `proxy: the token is of pod ${identity.pod}, the report of another`);
    }
    const reception = reports.receive(identity.namespace, report);
    if (reception.outcome === 'Full') {
      metrics.refusedReports.inc({ reason: 'Full' });
      return refuse(response, 503, 'too many proxies report');
    }
    measureAcknowledgement(identity.namespace, reception.before, report);
    answer(response, reception.answer);
  }

  /** Only of a proxy that was there when the config was published: another had to start first. */
  function measureAcknowledgement(namespace: string, before: ProxyReport | undefined, report: ProxyReport): void {
    const published = streams.published(namespace);
    const acknowledges = published !== undefined && report.revision === published.revision;
    if (acknowledges && before?.instance === report.instance && before.revision !== report.revision) {
      metrics.pushToAck.observe((clock.monotonic() - published.at) / 1_000);
    }
  }

  function sweep(): void {
    reports.sweep();
    cancelSweep = clock.schedule(sweep, SWEEP_INTERVAL_MS);
  }

  return {
    publish(namespace, config) {
      streams.publish(namespace, config);
      reports.configured(namespace, config);
    },
    withdraw(namespace) {
      streams.withdraw(namespace);
      reports.withdraw(namespace);
    },
    reports: reports.reports,
    totals: reports.totals,
    acknowledge: reports.acknowledge,
    onNews: reports.onNews,
    async start() {
      const unsubscribe = certificates.onChange(() => server.setSecureContext(tlsOptions()));
      stopEvents = unsubscribe;
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(listen.port, listen.host, () => {
          server.off('error', reject);
          resolve();
        });
      });
      sweep();
      const { address, port } = server.address() as AddressInfo;
      logger.info({ address, port }, 'waiting for proxies');
      return { host: address, port };
    },
    async stop() {
      stopEvents?.();
      cancelSweep?.();
      streams.close();
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const cancelCut = clock.schedule(() => server.closeAllConnections(), STOP_GRACE_MS);
      await closed;
      cancelCut();
    },
  };
}

/** The connection is closed too: what is left of the request is not read. */
function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    connection: 'close',
    ...(status === 503 ? { 'retry-after': RETRY_AFTER_SECONDS } : {}),
  });
  response.end(JSON.stringify({ message }));
}

function answer(response: ServerResponse, body: ReportAnswer): void {
  const text = JSON.stringify(body);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
