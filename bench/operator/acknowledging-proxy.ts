import type { RuntimeConfig } from '../../contract/runtime-config.ts';
import type { FakeProxy } from '../../test/operator/fake-proxy.ts';

/** Timestamps of one change at one proxy, `performance.now()`. */
export interface Arrival {
  /** The proxy serves it. */
  appliedAt: number;
  /** The operator has answered the report that says so. */
  acknowledgedAt: number;
}

/** Watches one fleet client from outside: when a config with what is waited for is served, and when the operator has heard so. */
export class AcknowledgingProxy {
  readonly proxy: FakeProxy;
  #waiting: { accepts: (config: RuntimeConfig) => boolean; resolve: (arrival: Arrival) => void } | undefined;
  #applied: { revision: string; at: number } | undefined;
  #reported: string | undefined;

  constructor(proxy: FakeProxy) {
    this.proxy = proxy;
    const { stub } = proxy;
    const applyConfig = stub.applyConfig.bind(stub);
    stub.applyConfig = (given) => {
      const config = applyConfig(given);
      if (this.#waiting?.accepts(config)) this.#applied = { revision: config.revision, at: performance.now() };
      return config;
    };
    const report = stub.report.bind(stub);
    stub.report = () => {
      const made = report();
      this.#reported = made.revision;
      return made;
    };
    // The view comes with the answer to a report, and reports of one proxy follow each other: this one answers the last that was made.
    const adoptView = stub.adoptView.bind(stub);
    stub.adoptView = (view) => {
      adoptView(view);
      if (!this.#applied || !this.#waiting || this.#reported !== this.#applied.revision) return;
      this.#waiting.resolve({ appliedAt: this.#applied.at, acknowledgedAt: performance.now() });
      this.#waiting = undefined;
      this.#applied = undefined;
    };
  }

  /** Resolves when a config that `accepts` takes is served and acknowledged. Call it before the change is made; one at a time. */
  next(accepts: (config: RuntimeConfig) => boolean, withinMs: number): Promise<Arrival> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`a change has not been acknowledged within ${withinMs} ms`)), withinMs);
      this.#waiting = {
        accepts,
        resolve: (arrival) => {
          clearTimeout(timer);
          resolve(arrival);
        },
      };
    });
  }
}
