import type { Health, HealthReason, ProbeResult, TargetReport } from '../../contract/fleet.ts';
import { RecentLatencies } from './recent-latencies.ts';
import { RecentWindow } from './recent-window.ts';
import { admission, LONGEST_HOLD, newTargetHealth, observe, type Signal, type TargetHealth } from './target-health.ts';

/** At least one request a second goes to a recovering target, or a quiet route would never find it well. */
const TRICKLE_INTERVAL = 1_000;

export interface TargetName {
  id: string;
  endpoint: string;
  region: string;
  model: string;
}

/** Everything that one proxy knows of one target: the pure state, and what was counted beside it. Lives as long as the target is in the config. */
export class TargetRecord {
  readonly name: TargetName;
  /** Whether probes try this target when it is down, so that no client's request has to. */
  probed = false;
  state: TargetHealth;
  attempts = 0;
  failures = 0;
  readonly recent = new RecentWindow();
  readonly firstToken = new RecentLatencies();
  lastSuccess = 0;
  lastSignal = 0;
  /** The operation that was last answered here: what a model does not do says nothing of what it does. */
  answered: string | undefined;
  probe: ProbeResult | undefined;
  /** When another proxy last probed this target, ISO 8601. */
  fleetProbe: string | undefined;
  /** When a request was last admitted while the target was not open. */
  #lastTrial = 0;

  constructor(name: TargetName, now: number) {
    this.name = name;
    this.state = newTargetHealth(now);
  }

  /** Whether the next request may go here first. Asking takes the trial, so ask only for a request that will be sent. */
  admit(now: number, random: () => number): boolean {
    const admitted = admission(this.state, now);
    switch (admitted.kind) {
      case 'open':
        return true;
      case 'shut':
        return false;
      case 'trial':
        // While a probe can tell, no client waits for a provider that may still hang.
        if (this.probed) return false;
        // One trial a hold; one that hangs must not keep the next one away for ever.
        if (this.#lastTrial >= admitted.since && now - this.#lastTrial < LONGEST_HOLD) return false;
        this.#lastTrial = now;
        return true;
      case 'share':
        if (now - this.#lastTrial < TRICKLE_INTERVAL && random() * 100 >= admitted.percent) return false;
        this.#lastTrial = now;
        return true;
    }
  }

  /** Whether the target would be offered requests as a matter of course: what a route calls its active target. */
  isOpen(now: number): boolean {
    return admission(this.state, now).kind === 'open';
  }

  /** Whether it has begun to answer again, and is given a share. */
  isRecovering(now: number): boolean {
    return admission(this.state, now).kind === 'share';
  }

  /** Takes a signal in; true when the verdict or a cooldown changed. */
  take(signal: Signal, now: number): boolean {
    const before = this.state;
    this.state = observe(before, signal, now);
    this.lastSignal = now;
    if (signal.kind === 'success') this.lastSuccess = now;
    return (
      this.state !== before &&
      (this.state.verdict.health !== before.verdict.health || this.state.cooldown?.reason !== before.cooldown?.reason)
    );
  }

  health(now: number): { health: Health; reason: HealthReason } {
    const { cooldown, verdict } = this.state;
    if (cooldown !== undefined && now < cooldown.until) {
      return { health: cooldown.reason === 'RateLimited' ? 'Degraded' : 'Down', reason: cooldown.reason };
    }
    switch (verdict.health) {
      case 'Unknown':
        return { health: 'Unknown', reason: 'NoSignal' };
      case 'Healthy':
        return { health: 'Healthy', reason: 'WithinBaseline' };
      case 'Down':
        return { health: 'Down', reason: verdict.reason };
      case 'Recovering':
        return { health: 'Recovering', reason: 'TrialSucceeded' };
    }
  }

  report(now: number): TargetReport {
    const firstToken = this.firstToken.read();
    const { cooldown } = this.state;
    const since = cooldown !== undefined && now < cooldown.until ? cooldown.since : this.state.since;
    return {
      ...this.name,
      ...this.health(now),
      since: iso(since),
      ...(this.state.evidence === '' ? {} : { evidence: this.state.evidence }),
      attempts: this.attempts,
      failures: this.failures,
      recent: this.recent.read(),
      ...(firstToken === undefined ? {} : { firstToken }),
      ...(this.lastSuccess === 0 ? {} : { lastSuccess: iso(this.lastSuccess) }),
      ...(this.lastSignal === 0 ? {} : { lastSignal: iso(this.lastSignal) }),
      ...(this.probe === undefined ? {} : { probe: this.probe }),
    };
  }
}

export function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
