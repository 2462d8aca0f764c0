import type { ProxyReport } from '../../contract/fleet.ts';
import type { FleetNews } from './fleet.ts';

/** What a report says against the one before of the same proxy. A first report is a transition: a proxy came. */
export function classifyNews(before: ProxyReport | undefined, after: ProxyReport): FleetNews {
  return before !== undefined && inWords(before) === inWords(after) ? 'figures' : 'transition';
}

/** All of a report that a status shows in words; not its counts, percentiles, evidence and times of signals. */
function inWords({ instance, ready, revision, refused, targets, routes, credentials, failovers }: ProxyReport): string {
  return JSON.stringify([
    instance,
    ready,
    revision,
    refused,
    targets.map(({ id, health, reason, since }) => [id, health, reason, since]),
    routes,
    credentials.map(({ secret, key, state }) => [secret, key, state]),
    // Records that go were taken by a status write of our own: that is no news.
    failovers.map(({ id, returned }) => [id, returned]),
  ]);
}
