import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Operation } from '../formats/openai/operations.ts';
import { getOrMake } from '../get-or-make.ts';
import type { ServingTarget } from '../routing/serving-config.ts';

/** Seconds, fine where first tokens are and wide where outages are. */
const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

export interface MetricSources {
  targets(): Iterable<{ id: string; attempts: ReadonlyMap<string, number> }>;
  failovers(): Iterable<{ route: string; count: number }>;
  health(): Iterable<{ id: string; health: string }>;
  running(): number;
}

interface Tally {
  route: string;
  operation: Operation;
  code: number;
  outcome: string;
  count: number;
  seconds: number;
}

/**
 * What a request adds to the metrics. Counting is done in plain numbers, and the library is told at a scrape: its label look-ups would cost
 * every request more than its own counting does.
 */
export class RequestMetrics {
  readonly #tallies = new Map<string, Map<number, Tally>>();
  readonly #firstToken: Histogram<'target'>;
  readonly #timed = new Set<string>();
  #overloads = 0;
  #streams = 0;

  constructor(registry: Registry, sources: MetricSources) {
    const registers = [registry];
    const tallies = () => [...this.#tallies.values()].flatMap((codes) => [...codes.values()]);
    const overloads = () => this.#overloads;
    new Counter({
      name: 'understudy_requests_total',
      help: 'Requests of applications, by what became of them.',
      labelNames: ['route', 'operation', 'code', 'outcome'],
      registers,
      collect() {
        this.reset();
        for (const { route, operation, code, outcome, count } of tallies()) this.inc({ route, operation, code, outcome }, count);
      },
    });
    new Counter({
      name: 'understudy_request_seconds_total',
      help: 'Time that requests took, from their body to the end of their answer.',
      labelNames: ['route', 'operation', 'outcome'],
      registers,
      collect() {
        this.reset();
        for (const { route, operation, outcome, seconds } of tallies()) this.inc({ route, operation, outcome }, seconds);
      },
    });
    new Counter({
      name: 'understudy_requests_refused_total',
      help: 'Requests that were refused since too many ran at once.',
      registers,
      collect() {
        this.reset();
        this.inc(overloads());
      },
    });
    new Counter({
      name: 'understudy_attempts_total',
      help: 'Attempts at targets, by class of outcome.',
      labelNames: ['target', 'class'],
      registers,
      collect() {
        this.reset();
        for (const { id, attempts } of sources.targets())
          for (const [outcome, count] of attempts) this.inc({ target: id, class: outcome }, count);
      },
    });
    new Counter({
      name: 'understudy_failovers_total',
      help: 'Times that traffic of a route moved away from its active target.',
      labelNames: ['route'],
      registers,
      collect() {
        this.reset();
        for (const { route, count } of sources.failovers()) this.inc({ route }, count);
      },
    });
    new Gauge({
      name: 'understudy_target_health',
      help: 'Verdict on each target: 1 for the one that holds.',
      labelNames: ['target', 'health'],
      registers,
      collect() {
        this.reset();
        for (const { id, health } of sources.health()) this.set({ target: id, health }, 1);
      },
    });
    new Gauge({
      name: 'understudy_open_requests',
      help: 'Requests and streams that are being answered now.',
      registers,
      collect() {
        this.set(sources.running());
      },
    });
    const streams = () => this.#streams;
    new Gauge({
      name: 'understudy_open_streams',
      help: 'Streams whose content is going to a client now.',
      registers,
      collect() {
        this.set(streams());
      },
    });
    this.#firstToken = new Histogram({
      name: 'understudy_first_token_seconds',
      help: 'Time from the start of an attempt to the first content of its stream.',
      labelNames: ['target'],
      buckets: BUCKETS,
      registers,
    });
  }

  onRequest(route: string, operation: Operation, code: number, outcome: string, milliseconds: number): void {
    const codes = getOrMake(this.#tallies, `${route}/${operation}/${outcome}`, () => new Map<number, Tally>());
    const tally = getOrMake(codes, code, () => ({ route, operation, code, outcome, count: 0, seconds: 0 }));
    tally.count += 1;
    tally.seconds += milliseconds / 1_000;
  }

  onFirstToken(target: ServingTarget, milliseconds: number): void {
    this.#timed.add(target.target.id);
    this.#firstToken.observe({ target: target.target.id }, milliseconds / 1_000);
  }

  /** Forgets what no config names any more: routes and targets that are renamed must not pile up. */
  keepOnly(routes: ReadonlySet<string>, targets: ReadonlySet<string>): void {
    for (const [key, codes] of this.#tallies) {
      const [tally] = codes.values();
      if (tally !== undefined && !routes.has(tally.route)) this.#tallies.delete(key);
    }
    for (const target of this.#timed) {
      if (targets.has(target)) continue;
      this.#timed.delete(target);
      this.#firstToken.remove({ target });
    }
  }

  onStreamBegin(): void {
    this.#streams += 1;
  }

  onStreamEnd(): void {
    this.#streams -= 1;
  }

  onOverload(): void {
    this.#overloads += 1;
  }
}
