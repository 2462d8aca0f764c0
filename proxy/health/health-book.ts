import type { CredentialReport, FailoverRecord, FleetView, TargetReport } from '../../contract/fleet.ts';
import { type RuntimeConfig, type RuntimeEndpoint, targetId } from '../../contract/runtime-config.ts';
import { RouteLedger } from './route-ledger.ts';
import { goDown, type Signal } from './target-health.ts';
import { type TargetName, TargetRecord } from './target-record.ts';

export interface HealthEvents {
  /** A verdict, a cooldown or an active target changed. */
  onTransition(target: TargetRecord | undefined, failover: FailoverRecord | undefined): void;
}

/** The health of all targets and routes of one proxy. Survives a change of config for every target that stays what it was. */
export class HealthBook {
  readonly #targets = new Map<string, TargetRecord>();
  readonly #fingerprints = new Map<string, string>();
  readonly #routes = new Map<string, RouteLedger>();
  readonly #routesOfTarget = new Map<string, RouteLedger[]>();
  readonly #events: HealthEvents;
  readonly #clock: () => number;
  /** When the keys last changed. */
  #keysSince = 0;

  constructor(clock: () => number, events: HealthEvents) {
    this.#clock = clock;
    this.#events = events;
  }

  /** Takes over a config. A target whose address or key reference changed begins as `Unknown`: what was learned was about another one. */
  configure(config: RuntimeConfig): void {
    const now = this.#clock();
    const wanted = new Map<string, { name: TargetName; fingerprint: string }>();
    for (const endpoint of config.endpoints) {
      for (const region of endpoint.regions) {
        const fingerprint = JSON.stringify([region.baseURL, endpoint.provider, endpoint.credential ?? null]);
        for (const model of modelsOf(config, endpoint, region.name)) {
          const id = targetId(endpoint.name, region.name, model);
          wanted.set(id, { name: { id, endpoint: endpoint.name, region: region.name, model }, fingerprint });
        }
      }
    }
    for (const id of [...this.#targets.keys()]) {
      if (wanted.get(id)?.fingerprint !== this.#fingerprints.get(id)) this.#targets.delete(id);
    }
    this.#fingerprints.clear();
    for (const [id, { name, fingerprint }] of wanted) {
      this.#fingerprints.set(id, fingerprint);
      if (!this.#targets.has(id)) this.#targets.set(id, new TargetRecord(name, now));
    }
    for (const endpoint of config.endpoints) {
      for (const record of this.#targets.values())
        if (record.name.endpoint === endpoint.name) record.probed = endpoint.probe !== undefined;
    }
    this.#configureRoutes(config, now);
  }

  target(id: string): TargetRecord {
    const record = this.#targets.get(id);
    if (record === undefined) throw new Error(`no target ${id} in the config`);
    return record;
  }

  /** Takes a signal of an attempt in. */
  observe(record: TargetRecord, signal: Signal): void {
    // What was refused to the key of then is not held against the key of now.
    if (signal.kind === 'refusal' && signal.startedAt < this.#keysSince) return;
    const now = this.#clock();
    if (record.take(signal, now)) this.#afterTransition(record, now);
  }

  /** Cooldowns end by time alone: called now and then, so that a route's active target follows. */
  refresh(): void {
    const now = this.#clock();
    for (const ledger of this.#routes.values()) {
      const before = ledger.active();
      const failover = ledger.refresh(now);
      if (ledger.active() !== before) this.#events.onTransition(undefined, failover);
    }
  }

  /** A key may have changed: what was refused for it may be asked again. */
  forgetRefusals(): void {
    const now = this.#clock();
    this.#keysSince = now;
    for (const record of this.#targets.values()) {
      const reason = record.state.cooldown?.reason;
      if (reason === undefined || reason === 'RateLimited') continue;
      record.state = { ...record.state, cooldown: undefined };
      this.#afterTransition(record, now);
    }
  }

  /**
   * Takes what the other proxies know. Their verdict counts until an answer of our own contradicts it: one proxy's network is not the fleet's.
   * When they see a target answer again, ours may try at once.
   */
  adopt(view: FleetView): void {
    const now = this.#clock();
    for (const seen of view.targets) {
      const record = this.#targets.get(seen.id);
      if (record === undefined) continue;
      const { verdict } = record.state;
      const downSince = Date.parse(seen.since);
      if (
        seen.health === 'Down' &&
        isVerdict(seen.reason) &&
        (verdict.health === 'Healthy' || verdict.health === 'Unknown') &&
        record.lastSuccess < downSince
      ) {
        record.state = goDown(
          record.state,
          'ReportedByFleet',
          `other proxies: ${seen.evidence ?? seen.reason}`.slice(0, 1024),
          now,
        );
        this.#afterTransition(record, now);
      }
      const lastSuccess = seen.lastSuccess === undefined ? 0 : Date.parse(seen.lastSuccess);
      if (
        verdict.health === 'Down' &&
        (seen.health === 'Healthy' || seen.health === 'Recovering') &&
        lastSuccess > record.lastSignal
      ) {
        record.state = { ...record.state, verdict: { ...verdict, holdUntil: Math.min(verdict.holdUntil, now) } };
      }
      if (
        seen.probe !== undefined &&
        seen.probe.outcome !== 'Skipped' &&
        (record.probe === undefined || seen.probe.time > record.probe.time)
      )
        record.fleetProbe = seen.probe.time;
    }
  }

  targets(): Iterable<TargetRecord> {
    return this.#targets.values();
  }

  routes(): Iterable<RouteLedger> {
    return this.#routes.values();
  }

  targetReports(): TargetReport[] {
    const now = this.#clock();
    return [...this.#targets.values()].map((record) => record.report(now));
  }

  /** What the targets say of a key, beyond its being there. */
  credentialTrouble(endpoint: string): Pick<CredentialReport, 'state' | 'message'> | undefined {
    const now = this.#clock();
    for (const record of this.#targets.values()) {
      if (record.name.endpoint !== endpoint) continue;
      const { reason } = record.health(now);
      if (reason === 'CredentialsRefused')
        return { state: 'Refused', message: `the provider refuses the key at ${record.name.id}` };
      if (reason === 'QuotaExhausted')
        return { state: 'QuotaExhausted', message: `the account has no quota or credit left at ${record.name.id}` };
    }
    return undefined;
  }

  #configureRoutes(config: RuntimeConfig, now: number): void {
    const names = new Set(config.routes.map(({ name }) => name));
    for (const name of this.#routes.keys()) if (!names.has(name)) this.#routes.delete(name);
    this.#routesOfTarget.clear();
    for (const route of config.routes) {
      const members = route.targets.map((target) => ({ target, record: this.target(target.id) }));
      const existing = this.#routes.get(route.name);
      const ledger = existing ?? new RouteLedger(route.name, route.generation, members, now);
      if (existing === undefined) this.#routes.set(route.name, ledger);
      else existing.update(route.generation, members, now);
      for (const { target } of members)
        this.#routesOfTarget.set(target.id, [...(this.#routesOfTarget.get(target.id) ?? []), ledger]);
    }
  }

  #afterTransition(record: TargetRecord, now: number): void {
    const failovers = (this.#routesOfTarget.get(record.name.id) ?? []).map((ledger) => ledger.refresh(now));
    const moved = failovers.filter((failover) => failover !== undefined);
    this.#events.onTransition(record, moved[0]);
    for (const failover of moved.slice(1)) this.#events.onTransition(undefined, failover);
  }
}

/** What routes ask of one region, and what is probed there. */
function modelsOf(config: RuntimeConfig, endpoint: RuntimeEndpoint, region: string): Set<string> {
  const targets = config.routes.flatMap((route) => route.targets);
  const asked = targets
    .filter((target) => target.endpoint === endpoint.name && target.region === region)
    .map(({ model }) => model);
  return new Set(endpoint.probe === undefined ? asked : [...asked, endpoint.probe.model]);
}

/** Cooldowns of another proxy are about a moment, and (a missing file) about that proxy: only verdicts travel. */
function isVerdict(reason: string): boolean {
  return reason === 'ConsecutiveFailures' || reason === 'ErrorRate';
}
