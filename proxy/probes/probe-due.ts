import type { TargetRecord } from '../health/target-record.ts';

/** Whether a probe would tell anything new: it costs money. Otherwise the reason why it is left out. */
export function probeDue(
  record: Pick<TargetRecord, 'lastSignal' | 'probe' | 'fleetProbe'>,
  interval: number,
  now: number,
): 'due' | string {
  const own = record.probe?.outcome === 'Skipped' || record.probe === undefined ? 0 : Date.parse(record.probe.time);
  if (record.lastSignal > own && now - record.lastSignal < interval) return 'traffic told the same';
  // Half an interval: the other replica's probe comes round at its own pace, and must not be waited for twice.
  if (record.fleetProbe !== undefined && now - Date.parse(record.fleetProbe) < interval / 2) return 'another replica has probed';
  return 'due';
}
