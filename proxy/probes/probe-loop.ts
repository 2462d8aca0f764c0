import type { ProbeResult } from '../../contract/fleet.ts';
import type { RuntimeEndpoint } from '../../contract/runtime-config.ts';
import { Attempt } from '../attempt/attempt.ts';
import type { UpstreamPools } from '../attempt/upstream-pools.ts';
import type { HealthBook } from '../health/health-book.ts';
import type { TargetRecord } from '../health/target-record.ts';
import type { Limits } from '../limits.ts';
import { signalOf } from '../pipeline/signal-of.ts';
import { upstreamHeaders } from '../pipeline/upstream-headers.ts';
import type { CredentialSource } from '../proxy.ts';
import { MISSING_KEY, readKey } from '../routing/read-key.ts';
import type { ServingConfig, ServingTarget } from '../routing/serving-config.ts';
import { probeBody } from './probe-body.ts';
import { probeDue } from './probe-due.ts';

/** How often it is looked whether a probe is due. */
const TICK = 250;
/** A probe that finds out whether a target is back may not hold up the next one for long: one at a time may take all its time, for a slow target. */
export const SHORT_RECOVERY_PROBE = 5_000;
/** Probes under way at once in one proxy. */
const MAX_RUNNING = 32;

export interface ProbeDependencies {
  book: HealthBook;
  pools: UpstreamPools;
  credentials: CredentialSource;
  limits: Limits;
  clock: () => number;
  random: () => number;
  onResult(): void;
}

/**
 * Active probes: a real, tiny completion for each region and probe model at the endpoint's interval, left out while something fresher is
 * known; and for each target of a probed endpoint that is down, whenever its hold is over, so that no client's request has to find out.
 */
export class ProbeLoop {
  readonly #deps: ProbeDependencies;
  #serving: ServingConfig | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When each target is to be probed next; and until when a recovery probe holds its target. */
  readonly #next = new Map<string, number>();
  /** Targets whose recovery probe with all its time is under way. */
  readonly #patient = new Set<string>();
  #running = 0;

  constructor(dependencies: ProbeDependencies) {
    this.#deps = dependencies;
  }

  configure(serving: ServingConfig): void {
    this.#serving = serving;
    const wanted = new Set(
      serving.config.endpoints.flatMap(({ name }) =>
        [...this.#deps.book.targets()].filter((record) => record.name.endpoint === name).map((record) => record.name.id),
      ),
    );
    for (const id of this.#next.keys()) if (!wanted.has(id)) this.#next.delete(id);
    this.#timer ??= setInterval(() => this.#tick(), TICK);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    if (this.#serving === undefined) return;
    const now = this.#deps.clock();
    for (const { endpoint, target } of this.#serving.probed) this.#probeAtInterval(endpoint, target, now);
    const endpoints = new Map(this.#serving.config.endpoints.map((endpoint) => [endpoint.name, endpoint]));
    const seen = new Set<TargetRecord>();
    for (const route of this.#serving.routes) {
      for (const target of route.targets) {
        const endpoint = endpoints.get(target.target.endpoint);
        if (endpoint?.probe === undefined || seen.has(target.record)) continue;
        seen.add(target.record);
        this.#probeForRecovery(endpoint.probe, target, now);
      }
    }
  }

  #probeAtInterval(endpoint: RuntimeEndpoint, target: ServingTarget, now: number): void {
    const { probe } = endpoint;
    if (probe === undefined) return;
    const { record } = target;
    const { id } = record.name;
    const next = this.#next.get(id);
    // The first one comes at a random time of the first interval, so that the replicas do not ask all at once.
    if (next === undefined) return void this.#next.set(id, now + Math.min(probe.interval, 2_000) * this.#deps.random());
    if (now < next) return;
    this.#next.set(id, now + probe.interval);
    const due = probeDue(record, probe.interval, now);
    if (due !== 'due') {
      const skipped: ProbeResult = { time: new Date(now).toISOString(), outcome: 'Skipped', message: due };
      // A result that was measured stays on show while it is fresh; after that it is honest to say why there is no newer one.
      if (record.probe === undefined || now - Date.parse(record.probe.time) > probe.interval) record.probe = skipped;
      return;
    }
    void this.#run(target, probe.timeout);
  }

  #probeForRecovery(probe: { timeout: number }, target: ServingTarget, now: number): void {
    const { record } = target;
    const { verdict, cooldown } = record.state;
    if (verdict.health !== 'Down' || now < verdict.holdUntil) return;
    // Asking often prolongs a rate limit, and heals no account: those are probed at the interval only.
    if (cooldown !== undefined && now < cooldown.until) return;
    const key = `recovery ${record.name.id}`;
    if (now < (this.#next.get(key) ?? 0)) return;
    const short = Math.min(probe.timeout, SHORT_RECOVERY_PROBE);
    this.#next.set(key, now + short);
    if (this.#patient.has(key)) return void this.#run(target, short);
    this.#patient.add(key);
    this.#run(target, probe.timeout).finally(() => this.#patient.delete(key));
  }

  async #run(target: ServingTarget, timeout: number): Promise<void> {
    if (this.#running >= MAX_RUNNING) return;
    this.#running += 1;
    try {
      await this.#probe(target, timeout);
    } finally {
      this.#running -= 1;
    }
  }

  async #probe(target: ServingTarget, timeout: number): Promise<void> {
    const { book, pools, credentials, limits, clock, onResult } = this.#deps;
    const { record } = target;
    const startedAt = clock();
    const key = readKey(credentials, target);
    if (key === MISSING_KEY) {
      book.observe(record, { kind: 'refusal', startedAt, reason: 'CredentialsMissing' });
      record.probe = {
        time: new Date(startedAt).toISOString(),
        outcome: 'Failed',
        message: 'the key of the endpoint is missing',
      };
      return onResult();
    }
    const attempt = new Attempt(
      {
        origin: target.origin,
        path: `${target.basePath}/chat/completions`,
        headers: upstreamHeaders({ 'user-agent': 'understudy-probe' }, key),
        body: probeBody(this.#provider(target), target.target.model),
        operation: 'chat',
        streaming: false,
        commit: 'FirstContent',
        key,
        waits: { connect: timeout, content: timeout, idle: timeout, total: timeout },
        limits,
      },
      undefined,
      clock,
    );
    const outcome = await attempt.start(pools.get(target.origin, timeout)).outcome;
    const now = clock();
    const latency = Math.round(now - startedAt);
    const failure = outcome.kind === 'failed' ? outcome.failure : undefined;
    const signal = signalOf(outcome, startedAt, latency, timeout);
    if (signal !== undefined && !(signal.kind === 'refusal' && signal.reason === 'ModelNotFound')) book.observe(record, signal);
    // Told after the signal, and to the next whole millisecond: a probe must not look older than its own signal, which would pass for traffic.
    const time = new Date(Math.ceil(clock())).toISOString();
    record.probe =
      failure === undefined
        ? { time, outcome: 'Succeeded', latency }
        : { time, outcome: 'Failed', latency, message: `${failure.code}: ${failure.message}`.slice(0, 1024) };
    // A target that does not take a chat completion (an embedding model) can't be probed so: then requests have to find out.
    if (failure?.class === 'Request' || failure?.class === 'Capability') record.probed = false;
    if (signal?.kind === 'success') {
      record.probed = true;
      record.answered = 'chat';
    }
    onResult();
  }

  #provider(target: ServingTarget): RuntimeEndpoint['provider'] {
    return this.#serving?.config.endpoints.find(({ name }) => name === target.target.endpoint)?.provider ?? 'OpenAICompatible';
  }
}
