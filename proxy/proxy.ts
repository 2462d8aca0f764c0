import type { Express } from 'express';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { FleetView, ProxyReport } from '../contract/fleet.ts';
import type { CredentialRef, RuntimeConfig } from '../contract/runtime-config.ts';

export interface Address {
  host: string;
  port: number;
}

/** Where provider keys come from: files that rotate, or Secrets read from YAML. A key is read at every attempt, never kept elsewhere. */
export interface CredentialSource {
  /** The key, or `undefined` when it is missing. Cheap: called once an attempt. */
  read(ref: CredentialRef): string | undefined;
  /** Tells when any key may have changed: cooldowns for refused keys end then. */
  onChange(listener: () => void): () => void;
}

export interface ProxyOptions {
  /** Name of this proxy in reports: the pod name, or `local`. */
  name: string;
  listen: Address;
  /** Health, metrics and status, for operators of the proxy and not for applications. */
  admin: Address;
  credentials: CredentialSource;
  logger: Logger;
  registry: Registry;
  /** More to serve on the admin address, beside `/healthz`, `/readyz` and `/metrics`: the status API of `understudy run`. */
  adminRoutes?: (app: Express) => void;
}

/** One proxy, seen from outside: what the fleet client, `understudy run` and tests hold. */
export interface Proxy {
  /** Listens on both addresses; resolves with the real ones (port 0 picks a free port). */
  start(): Promise<{ listen: Address; admin: Address }>;
  /** Validates and swaps atomically. Throws `ConfigRefusedError`, and goes on with the last good config, when it can't be served. */
  applyConfig(config: unknown): RuntimeConfig;
  /** Everything that is known now. Failovers stay in the report until `acknowledge`. */
  report(): ProxyReport;
  acknowledge(failoverIds: readonly string[]): void;
  /** Called, at most every 100 ms, when a report would say something that matters: a verdict, a failover, a revision, a credential. */
  onNews(listener: () => void): () => void;
  /** Takes what the other proxies know. */
  adoptView(view: FleetView): void;
  /** Not ready any more; finishes what runs, for at most `graceMs`; then closes everything. Safe to call twice. */
  drain(graceMs: number): Promise<void>;
}
