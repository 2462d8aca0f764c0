import type { FailoverRecord, HealthReason, RouteReason, RouteReport } from '../../contract/fleet.ts';
import type { RuntimeTarget } from '../../contract/runtime-config.ts';
import { FailoverLog } from './failover-log.ts';
import { RECOVERY_SHARES } from './target-health.ts';
import { iso, type TargetRecord } from './target-record.ts';

interface Member {
  target: RuntimeTarget;
  record: TargetRecord;
}

/** Who is on stage in one route, since when and why; and every time that this moved. */
export class RouteLedger {
  readonly name: string;
  #members: Member[];
  #generation: number;
  #active: string | undefined;
  #reason: RouteReason = 'NoTraffic';
  #since: number;
  readonly #log = new FailoverLog();

  constructor(name: string, generation: number, members: Member[], now: number) {
    this.name = name;
    this.#generation = generation;
    this.#members = members;
    this.#since = now;
    this.#active = this.#choose(now)?.target.id;
  }

  /** Takes another version of the route; what happened so far stays. */
  update(generation: number, members: Member[], now: number): void {
    this.#generation = generation;
    this.#members = members;
    this.refresh(now);
  }

  /** Looks again at who is on stage. Returns the failover or return that this amounts to, if any. */
  refresh(now: number): FailoverRecord | undefined {
    const next = this.#choose(now);
    const before = this.#active;
    const reason = this.#whyNow(next, now);
    if (next?.target.id === before) {
      if (reason !== this.#reason) {
        this.#reason = reason;
        this.#since = now;
      }
      return undefined;
    }
    this.#active = next?.target.id;
    this.#reason = reason;
    this.#since = now;
    return before === undefined || next === undefined ? undefined : this.#moved(before, next.target.id, now);
  }

  active(): string | undefined {
    return this.#active;
  }

  report(now: number): RouteReport {
    return {
      name: this.name,
      generation: this.#generation,
      ...(this.#active === undefined ? {} : { active: this.#active }),
      reason: this.#reason,
      since: iso(this.#since),
      shares: this.#shares(now),
      failovers: this.#log.count,
    };
  }

  get failovers(): number {
    return this.#log.count;
  }

  /** Failovers that nobody has acknowledged yet. */
  records(): readonly FailoverRecord[] {
    return this.#log.untold();
  }

  forget(ids: ReadonlySet<string>): void {
    this.#log.forget(ids);
  }

  /** The first of the chain that is open, else that answers again, else the first of all (panic). In a weighted step, the one that weighs most. */
  #choose(now: number): Member | undefined {
    let best: Member | undefined;
    for (const member of this.#members) {
      if (best !== undefined && member.target.step > best.target.step) break;
      if (!member.record.isOpen(now)) continue;
      if (best === undefined || member.target.weight > best.target.weight) best = member;
    }
    return best ?? this.#members.find(({ record }) => record.isRecovering(now)) ?? this.#members[0];
  }

  #whyNow(chosen: Member | undefined, now: number): RouteReason {
    if (chosen === undefined) return 'NoTarget';
    if (!isUp(chosen.record, now)) return 'Panic';
    if (chosen.target.step === 0 && chosen.record.isOpen(now))
      return this.#members.every(({ record }) => record.lastSignal === 0) ? 'NoTraffic' : 'PrimaryHealthy';
    const primaries = this.#members.filter(({ target }) => target.step === 0).map(({ record }) => record.health(now));
    if (primaries.some(({ health }) => health === 'Recovering')) return 'Recovering';
    if (primaries.every(({ reason }) => COOLDOWNS.has(reason))) return 'PrimaryCoolingDown';
    return 'PrimaryDown';
  }

  #moved(from: string, to: string, now: number): FailoverRecord | undefined {
    const left = this.#members.find(({ target }) => target.id === from);
    // The target that was on stage is gone from the chain: that is a change of config, and no failover.
    if (left === undefined) return undefined;
    const comesBack = this.#position(to) < this.#position(from) && isUp(left.record, now);
    if (comesBack) return this.#log.close((target) => this.#position(target) >= this.#position(to), now);
    const { state } = left.record;
    const { reason } = left.record.health(now);
    return this.#log.add({
      id: `${this.name}-${Math.round(now).toString(36)}-${this.#log.count + 1}`,
      route: this.name,
      time: iso(now),
      from,
      to,
      reason,
      evidence: state.evidence || reason,
      ...(!DETECTED.has(reason) || state.firstFailureAt === 0
        ? {}
        : { detectedIn: Math.max(0, Math.round(state.since - state.firstFailureAt)) }),
    });
  }

  #position(id: string): number {
    return this.#members.findIndex(({ target }) => target.id === id);
  }

  /** What each target is offered first now: the recovering ones their step, the rest goes by weight to the open ones of the first step that has any. */
  #shares(now: number): { target: string; share: number }[] {
    const open = this.#members.filter(({ record }) => record.isOpen(now));
    const step = open[0]?.target.step;
    const chosen = this.#choose(now);
    const takers = onePerEntry(
      this.#members.filter((member) =>
        step === undefined ? member === chosen : open.includes(member) && member.target.step === step,
      ),
    );
    const total = takers.reduce((sum, { target }) => sum + target.weight, 0);
    let left = 100;
    const shares = new Map<string, number>();
    for (const { target, record } of this.#members) {
      const { verdict } = record.state;
      if (verdict.health !== 'Recovering' || target.step > (step ?? 0) || takers.some((taker) => taker.target === target))
        continue;
      const share = Math.min(left, RECOVERY_SHARES[verdict.step] ?? 50);
      shares.set(target.id, share);
      left -= share;
    }
    let given = 0;
    takers.forEach(({ target }, index) => {
      const share = index === takers.length - 1 ? left - given : Math.round((left * target.weight) / total);
      shares.set(target.id, share);
      given += share;
    });
    return this.#members.map(({ target }) => ({ target: target.id, share: shares.get(target.id) ?? 0 }));
  }
}

/** What this proxy found out from a run of failures: all else is told at once, or by others. */
const DETECTED: ReadonlySet<HealthReason> = new Set<HealthReason>(['ConsecutiveFailures', 'ErrorRate']);

const COOLDOWNS: ReadonlySet<HealthReason> = new Set<HealthReason>([
  'RateLimited',
  'CredentialsMissing',
  'CredentialsRefused',
  'QuotaExhausted',
  'ModelNotFound',
]);

function isUp(record: TargetRecord, now: number): boolean {
  return record.isOpen(now) || record.isRecovering(now);
}

/** Regions of one entry do not share: the first open one has all of the entry's traffic. */
function onePerEntry(members: Member[]): Member[] {
  return members.filter((member, index) => members.findIndex(({ target }) => target.entry === member.target.entry) === index);
}
