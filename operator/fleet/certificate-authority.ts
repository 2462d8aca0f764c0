import type { Logger } from 'pino';
import type { Clock } from '../kube/clock.ts';
import { bundleOf, CA_LIFETIME_MS, type CaState, nextCaStep, readCaState, renewalTime, writeCaState } from './ca-state.ts';
import type { CaStore } from './ca-store.ts';
import { CLOCK_SKEW_MS, issueAuthority, issueServing, type KeyPair, validityOf } from './issue-certificate.ts';

/** Kept in memory only, made anew at every start. Short, so that a key that leaks is soon of no use. */
export const SERVING_LIFETIME_MS = 30 * 24 * 60 * 60_000;
/** How often the Secret is read again, for a step of its own or one that another operator took. */
export const CA_CHECK_INTERVAL_MS = 10 * 60_000;
/** Two operators that write at once settle it in one round each; more means that something else writes this Secret. */
const MAX_WRITE_ROUNDS = 5;

export interface CertificateAuthorityOptions {
  store: CaStore;
  /** DNS names and IP addresses that proxies reach this operator by. See `operatorHosts`. */
  hosts: readonly string[];
  clock: Clock;
  logger: Logger;
}

export interface CertificateAuthority {
  /** Reads or makes the CA, and the first serving certificate. Rejects when the store can't be asked. */
  start(): Promise<void>;
  stop(): void;
  /** PEM of every CA that proxies should trust now: goes into their ConfigMap. */
  caBundle(): string;
  serving(): KeyPair;
  /** Called after the bundle or the serving certificate has changed. Returns the way to end it. */
  onChange(listener: () => void): () => void;
  /** One check, as the timer does it. Rejects where the timer would log. */
  check(): Promise<void>;
}

/** The names by which a Service of this namespace is reached inside the cluster. */
export function operatorHosts(service: string, namespace: string, clusterDomain = 'cluster.local'): string[] {
  const name = `${service}.${namespace}.svc`;
  return [name, `${name}.${clusterDomain}`, `${service}.${namespace}`];
}

export function createCertificateAuthority({ store, hosts, clock, logger }: CertificateAuthorityOptions): CertificateAuthority {
  let held: { state: CaState; serving: KeyPair; signer: string } | undefined;
  let cancelTimer: (() => void) | undefined;
  let stopped = false;
  let running: Promise<void> | undefined;
  const listeners = new Set<() => void>();

  async function refresh(): Promise<void> {
    const state = await settle();
    const now = clock.now();
    const signer = state.current.certificate;
    const renew = held === undefined || held.signer !== signer || now >= renewalTime(validityOf(held.serving.certificate));
    const serving = renew ? await issueServing(state.current, hosts, servingValidity(state, now)) : held!.serving;
    const changed = held === undefined || renew || bundleOf(held.state) !== bundleOf(state);
    held = { state, serving, signer };
    if (!changed) return;
    logger.info(
      { phase: state.phase, servingUntil: validityOf(serving.certificate).until },
      'the certificates of the fleet channel',
    );
    for (const listener of listeners) listener();
  }

  /** Takes every step that is due. Whoever writes first decides; the others read what was written. */
  async function settle(): Promise<CaState> {
    for (let round = 0; round < MAX_WRITE_ROUNDS; round += 1) {
      const stored = await store.read();
      if (stored === undefined) {
        await store.create(writeCaState({ phase: 'Settled', current: await newAuthority() }));
        continue;
      }
      const state = readCaState(stored.data);
      const due = await takeStep(state);
      if (due === undefined) return state;
      await store.replace(writeCaState(due), stored.version);
    }
    throw new Error(`the Secret of the CA changed ${MAX_WRITE_ROUNDS} times in a row: look for what else writes it`);
  }

  async function takeStep(state: CaState): Promise<CaState | undefined> {
    const now = clock.now();
    const step = nextCaStep(state, now);
    switch (step.action) {
      case 'Keep':
        return undefined;
      case 'Become':
        return step.state;
      case 'Announce':
        return { phase: 'Announced', current: state.current, next: await newAuthority(), since: now };
      case 'Replace':
        return { phase: 'Settled', current: await newAuthority() };
    }
  }

  function newAuthority(): Promise<KeyPair> {
    const now = clock.now();
    return issueAuthority({ from: now - CLOCK_SKEW_MS, until: now + CA_LIFETIME_MS });
  }

  /** One check at a time: two at once would only make each other's writes conflict. */
  function check(): Promise<void> {
    running ??= refresh().finally(() => {
      running = undefined;
    });
    return running;
  }

  function plan(): void {
    cancelTimer = clock.schedule(() => {
      check()
        .catch((error: unknown) => logger.warn({ err: error }, 'the CA could not be checked; the present certificates go on'))
        .finally(() => {
          if (!stopped) plan();
        });
    }, CA_CHECK_INTERVAL_MS);
  }

  function started() {
    if (held === undefined) throw new Error('the certificate authority has not been started');
    return held;
  }

  return {
    async start() {
      await check();
      if (!stopped) plan();
    },
    stop() {
      stopped = true;
      cancelTimer?.();
    },
    caBundle: () => bundleOf(started().state),
    serving: () => started().serving,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    check,
  };
}

/** A serving certificate does not outlive the CA that signs it. */
function servingValidity(state: CaState, now: number): { from: number; until: number } {
  const { until } = validityOf(state.current.certificate);
  return { from: now - CLOCK_SKEW_MS, until: Math.min(now + SERVING_LIFETIME_MS, until) };
}
