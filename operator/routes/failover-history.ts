import type { FailoverRecord } from '../../contract/fleet.ts';
import { formatDuration } from '../../crds/duration.ts';
import type { ModelRouteStatus } from '../../crds/model-route.ts';

/** Episodes that are remembered, to recognise what replicas tell late. More at once than a chain has entries makes no sense. */
const MAX_EPISODES = 16;
/** The clocks of replicas differ, and the first to report need not be the first that noticed. */
const SAME_OUTAGE_MS = 60_000;

/** A failover as one replica tells it. */
export interface ToldFailover {
  proxy: string;
  instance: string;
  record: FailoverRecord;
}

/** Traffic of the route moved away from one target, at however many replicas: one outage is one episode. */
export interface Episode {
  time: string;
  from: string;
  to: string;
  reason: FailoverRecord['reason'];
  evidence: string;
  detectedIn?: string;
  /** Replicas whose traffic has not come back. */
  away: ReadonlySet<string>;
  /** When traffic came back; absent while it has not. */
  endedAt?: string;
  /** As the status shows it. Given when the episode was read from a status, which has no exact end. */
  lasted?: string;
}

/** `count` never goes back. `episodes`: the last ones, oldest first. */
export interface FailoverHistory {
  count: number;
  episodes: readonly Episode[];
  /** Of a history that was read from a status: what is not among its episodes, and is no newer than this, has been counted. */
  countedUntil?: string;
}

/** What a status remembers, for an operator that has just begun. */
export function readHistory(status: ModelRouteStatus | undefined): FailoverHistory {
  const last = status?.lastFailover;
  if (!last) return { count: status?.failovers ?? 0, episodes: [] };
  const { lasted, detectedIn, ...rest } = last;
  const episode: Episode = {
    ...rest,
    away: new Set(),
    ...(detectedIn === undefined ? {} : { detectedIn }),
    // Ended, but when is known only roughly: what is told of a later time is taken for another outage.
    ...(lasted === undefined ? {} : { endedAt: last.time, lasted }),
  };
  return { count: status?.failovers ?? 1, episodes: [episode], countedUntil: last.time };
}

/**
 * Takes what replicas tell into the history. A record may be told any number of times, by an operator's successor too.
 * `isBack` says whether all replicas answer from the target, or a better one, again: it ends what a replica that died can't end.
 */
export function foldFailovers(
  history: FailoverHistory,
  told: readonly ToldFailover[],
  isBack: (target: string) => boolean,
  now: number,
): FailoverHistory {
  const inOrder = [...told].sort((a, b) => Date.parse(a.record.time) - Date.parse(b.record.time));
  const folded = inOrder.reduce(foldOne, history);
  return { ...folded, episodes: folded.episodes.map((episode) => endIfBack(episode, isBack, now)) };
}

function foldOne(history: FailoverHistory, { proxy, instance, record }: ToldFailover): FailoverHistory {
  // Not by its id: a record may be told anew, under another one, when traffic has come back.
  const replica = `${proxy}/${instance}/${record.time}`;
  const known = history.episodes.findLast((episode) => isSameOutage(episode, record));
  if (!known && isCounted(history, record)) return history;
  if (!known) {
    const episodes = [...history.episodes, update(begin(record), replica, record)];
    episodes.sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
    return { ...history, count: history.count + 1, episodes: episodes.slice(-MAX_EPISODES) };
  }
  const updated = update(known, replica, record);
  return { ...history, episodes: history.episodes.map((episode) => (episode === known ? updated : episode)) };
}

function isSameOutage(episode: Episode, { from, time }: FailoverRecord): boolean {
  if (episode.from !== from) return false;
  const at = Date.parse(time);
  const tooEarly = at < Date.parse(episode.time) - SAME_OUTAGE_MS;
  const tooLate = episode.endedAt !== undefined && at > Date.parse(episode.endedAt);
  return !tooEarly && !tooLate;
}

/** A proxy tells a failover anew when traffic has come back: to the successor of the operator that counted it, in a long outage. */
function isCounted({ countedUntil }: FailoverHistory, { time }: FailoverRecord): boolean {
  return countedUntil !== undefined && Date.parse(time) <= Date.parse(countedUntil);
}

function begin({ time, from, to, reason, evidence, detectedIn }: FailoverRecord): Episode {
  const detected = detectedIn === undefined ? {} : { detectedIn: formatDuration(detectedIn) };
  return { time, from, to, reason, evidence, ...detected, away: new Set() };
}

function update(episode: Episode, replica: string, { returned }: FailoverRecord): Episode {
  const away = new Set(episode.away);
  if (returned === undefined) {
    away.add(replica);
    const { endedAt: _endedAt, lasted: _lasted, ...open } = episode;
    // A record that was told before its end was written down says nothing new about an episode read from a status.
    return episode.lasted === undefined ? { ...open, away } : episode;
  }
  away.delete(replica);
  const { lasted: _lasted, ...rest } = episode;
  return away.size > 0 ? { ...rest, away } : { ...rest, away, endedAt: latest(returned, episode.endedAt) };
}

function endIfBack(episode: Episode, isBack: (target: string) => boolean, now: number): Episode {
  if (episode.endedAt !== undefined || !isBack(episode.from)) return episode;
  return { ...episode, away: new Set(), endedAt: new Date(now).toISOString() };
}

function latest(one: string, other: string | undefined): string {
  return other !== undefined && Date.parse(other) > Date.parse(one) ? other : one;
}

/** The newest episode, as the status shows it. */
export function lastFailover({ episodes }: FailoverHistory): ModelRouteStatus['lastFailover'] {
  const episode = episodes.at(-1);
  if (!episode) return undefined;
  const { time, from, to, reason, evidence, detectedIn, endedAt, lasted } = episode;
  const shownLasted = lasted ?? (endedAt && formatDuration(Math.max(0, Date.parse(endedAt) - Date.parse(time))));
  return {
    time,
    from,
    to,
    reason,
    evidence,
    ...(detectedIn === undefined ? {} : { detectedIn }),
    ...(shownLasted === undefined ? {} : { lasted: shownLasted }),
  };
}
