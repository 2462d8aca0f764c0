import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from 'prom-client';
import type { ControllerOptions } from '../kube/controller.ts';
import type { InformerStep } from '../kube/create-informer.ts';

/** Reconciles wait for the API server at most: from a millisecond to its time limit. */
const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];

export interface OperatorMetrics {
  leader: Gauge;
  observer(controller: string): NonNullable<ControllerOptions['observer']>;
  statusWrites(kind: string): void;
  events(step: 'Recorded' | 'Written' | 'Dropped'): void;
  /** Given to `createInformer` as `observe`. */
  informer(kind: string): (step: InformerStep) => void;
}

export function createOperatorMetrics(registry: Registry): OperatorMetrics {
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const leader = new Gauge({ name: 'understudy_operator_leader', help: '1 while this replica leads.', registers });
  const labelNames = ['controller'];
  const reconciles = new Counter({
    name: 'understudy_operator_reconciles_total',
    help: 'Reconciles by their outcome.',
    labelNames: ['controller', 'outcome'],
    registers,
  });
  const duration = new Histogram({
    name: 'understudy_operator_reconcile_seconds',
    help: 'How long a reconcile took.',
    labelNames,
    buckets: SECONDS,
    registers,
  });
  const waited = new Histogram({
    name: 'understudy_operator_queue_wait_seconds',
    help: 'How long a key waited for a worker.',
    labelNames,
    buckets: SECONDS,
    registers,
  });
  const depth = new Gauge({
    name: 'understudy_operator_queue_depth',
    help: 'Keys that wait for a worker.',
    labelNames,
    registers,
  });
  const dropped = new Counter({
    name: 'understudy_operator_queue_dropped_total',
    help: 'Keys that a full queue did not take.',
    labelNames,
    registers,
  });
  const writes = new Counter({
    name: 'understudy_operator_status_writes_total',
    help: 'Statuses that were written.',
    labelNames: ['kind'],
    registers,
  });
  const events = new Counter({
    name: 'understudy_operator_events_total',
    help: 'Events, by what became of them.',
    labelNames: ['step'],
    registers,
  });
  const informers = new Counter({
    name: 'understudy_operator_informer_steps_total',
    help: 'What informers did: lists, watches, bookmarks, failures.',
    labelNames: ['kind', 'step'],
    registers,
  });
  return {
    leader,
    informer: (kind) => (step) => informers.inc({ kind, step }),
    statusWrites: (kind) => writes.inc({ kind }),
    events: (step) => events.inc({ step }),
    observer: (controller) => ({
      reconciled: (outcome) => reconciles.inc({ controller, outcome }),
      finished: (worked) => duration.observe({ controller }, worked / 1_000),
      started: (wait) => waited.observe({ controller }, wait / 1_000),
      depth: (waiting) => depth.set({ controller }, waiting),
      dropped: () => dropped.inc({ controller }),
    }),
  };
}
