import type { Logger } from 'pino';
import type { FailoverRecord } from '../../contract/fleet.ts';
import type { TargetRecord } from '../health/target-record.ts';

/** Says what changed, with its evidence: bad news as a warning, good news as information. */
export function logTransition(
  logger: Logger,
  record: TargetRecord | undefined,
  failover: FailoverRecord | undefined,
  now: number,
): void {
  if (record !== undefined) {
    const { health, reason } = record.health(now);
    const level = health === 'Down' || health === 'Degraded' ? 'warn' : 'info';
    const { evidence } = record.state;
    logger[level](
      { target: record.name.id, health, reason, ...(evidence === '' ? {} : { evidence }) },
      'the verdict on a target changed',
    );
  }
  if (failover === undefined) return;
  if (failover.returned === undefined) logger.warn({ failover }, 'traffic moved away from a target');
  else logger.info({ failover }, 'traffic came back to a target');
}
