import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface FleetMetrics {
  pushes: Counter;
  /** By `reason`: the outcome of an `Authentication`, or `OtherNamespace` and `OtherPod` for a token that does not fit its request. */
  refusedTokens: Counter<'reason'>;
  /** By `reason`: the outcome of a `ReadReport`, or `Full`. */
  refusedReports: Counter<'reason'>;
  slowReaders: Counter;
  pushToAck: Histogram;
}

export function createFleetMetrics(registry: Registry, connectedProxies: () => number): FleetMetrics {
  const registers = [registry];
  new Gauge({
    name: 'understudy_fleet_connected_proxies',
    help: 'Proxies that hold a config stream to this operator.',
    registers,
    collect() {
      this.set(connectedProxies());
    },
  });
  return {
    pushes: new Counter({ name: 'understudy_fleet_config_pushes_total', help: 'Configs sent to proxies.', registers }),
    refusedTokens: new Counter({
      name: 'understudy_fleet_refused_tokens_total',
      help: 'Requests of proxies that were refused for their token.',
      labelNames: ['reason'],
      registers,
    }),
    refusedReports: new Counter({
      name: 'understudy_fleet_refused_reports_total',
      help: 'Reports of proxies that were not taken.',
      labelNames: ['reason'],
      registers,
    }),
    slowReaders: new Counter({
      name: 'understudy_fleet_slow_readers_cut_total',
      help: 'Config streams that were cut because the proxy did not read them.',
      registers,
    }),
    pushToAck: new Histogram({
      name: 'understudy_fleet_push_to_ack_seconds',
      help: 'From publishing a config to the report of a proxy that serves it.',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60],
      registers,
    }),
  };
}
