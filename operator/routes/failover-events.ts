import { formatDuration } from '../../crds/duration.ts';
import type { EventNote } from '../kube/event-recorder.ts';
import type { Episode, FailoverHistory } from './failover-history.ts';

/** What happened between two moments of a history, as Events. */
export function failoverEvents(before: FailoverHistory, after: FailoverHistory): EventNote[] {
  return after.episodes.flatMap((episode) => {
    const known = before.episodes.find((other) => other.time === episode.time && other.from === episode.from);
    return [
      ...(known === undefined ? [failedOver(episode)] : []),
      ...(episode.endedAt !== undefined && known?.endedAt === undefined ? [returned(episode, episode.endedAt)] : []),
    ];
  });
}

function failedOver({ from, to, reason, evidence, detectedIn }: Episode): EventNote {
  const speed = detectedIn === undefined ? '' : `, detected in ${detectedIn}`;
  return {
    type: 'Warning',
    reason: 'FailedOver',
    message: `Traffic moved from ${from} to ${to}: ${reason}${speed}. ${evidence}`,
  };
}

function returned({ time, from }: Episode, endedAt: string): EventNote {
  const lasted = formatDuration(Math.max(0, Date.parse(endedAt) - Date.parse(time)));
  return { type: 'Normal', reason: 'Returned', message: `Traffic came back to ${from} after ${lasted}.` };
}
