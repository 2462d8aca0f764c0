import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { InformerStep } from './create-informer.ts';
import type { FailureDecision } from './reconcile-error.ts';
import type { WorkQueueObserver } from './work-queue.ts';

/** A reconcile takes milliseconds; one that waits for the API server takes seconds. */
const DURATION_BUCKETS = [0.005, 0.02, 0.1, 0.5, 2, 10, 60];

export interface KubeMetrics {
  /** Given to `createController` as its observer. */
  controller(name: string): WorkQueueObserver & { reconciled(outcome: 'Done' | FailureDecision['kind']): void };
  /** Given to `createInformer` as `observe`. */
  informer(kind: string): (step: InformerStep) => void;
  /** Given to `createEventRecorder` as `observe`. */
  events(step: 'Recorded' | 'Written' | 'Dropped'): void;
  leader(isLeader: boolean): void;
}

/** What this room tells about itself. No label grows with the number of resources. */
export function createKubeMetrics(registry: Registry): KubeMetrics {
  const registers = [registry];
  const controller = ['controller'] as const;
  const depth = new Gauge({
    name: 'understudy_workqueue_depth',
    help: 'Keys that wait for a worker.',
    labelNames: controller,
    registers,
  });
  const adds = new Counter({ name: 'understudy_workqueue_adds_total', help: 'Keys added.', labelNames: controller, registers });
  const retries = new Counter({
    name: 'understudy_workqueue_retries_total',
    help: 'Keys added again after a failure.',
    labelNames: controller,
    registers,
  });
  const dropped = new Counter({
    name: 'understudy_workqueue_dropped_total',
    help: 'Keys that found the queue full.',
    labelNames: controller,
    registers,
  });
  const waited = new Histogram({
    name: 'understudy_workqueue_wait_seconds',
    help: 'Time from adding a key to working on it.',
    labelNames: controller,
    buckets: DURATION_BUCKETS,
    registers,
  });
  const worked = new Histogram({
    name: 'understudy_reconcile_seconds',
    help: 'Time that a reconcile took.',
    labelNames: controller,
    buckets: DURATION_BUCKETS,
    registers,
  });
  const outcomes = new Counter({
    name: 'understudy_reconciles_total',
    help: 'Reconciles by outcome: Done, Stalled, Waiting or Transient.',
    labelNames: ['controller', 'outcome'],
    registers,
  });
  const steps = new Counter({
    name: 'understudy_informer_steps_total',
    help: 'What informers did: lists, watches, bookmarks, failures.',
    labelNames: ['kind', 'step'],
    registers,
  });
  const events = new Counter({
    name: 'understudy_events_total',
    help: 'Kubernetes Events: recorded, written (creations and counts) and dropped.',
    labelNames: ['step'],
    registers,
  });
  const leads = new Gauge({ name: 'understudy_leader', help: '1 while this process leads.', registers });

  return {
    controller: (name) => ({
      added: () => adds.inc({ controller: name }),
      retried: () => retries.inc({ controller: name }),
      dropped: () => dropped.inc({ controller: name }),
      depth: (waiting) => depth.set({ controller: name }, waiting),
      started: (milliseconds) => waited.observe({ controller: name }, milliseconds / 1_000),
      finished: (milliseconds) => worked.observe({ controller: name }, milliseconds / 1_000),
      reconciled: (outcome) => outcomes.inc({ controller: name, outcome }),
    }),
    informer: (kind) => (step) => steps.inc({ kind, step }),
    events: (step) => events.inc({ step }),
    leader: (isLeader) => leads.set(isLeader ? 1 : 0),
  };
}
