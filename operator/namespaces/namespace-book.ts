import type { RuntimeRoute } from '../../contract/runtime-config.ts';
import type { EndpointFindings, RouteFindings } from '../findings.ts';
import type { ServedConfig } from './fit-config.ts';

/** Revisions that are remembered: a proxy that is further behind than this has more to catch up with than one route. */
const MAX_REVISIONS = 16;

/** What the last reconcile of a namespace found out and put on stage. Statuses are made from it. */
export interface NamespacePage {
  served: ServedConfig | undefined;
  /** Monotonic milliseconds at which the served revision was published. */
  publishedAt: number;
  routes: ReadonlyMap<string, RouteFindings>;
  endpoints: ReadonlyMap<string, EndpointFindings>;
  /** uid → the generation that the findings are about. */
  generations: ReadonlyMap<string, number>;
  /** Newest last; the served one among them. */
  revisions: readonly { revision: string; fingerprints: ServedConfig['fingerprints'] }[];
}

export type NamespaceBook = Map<string, NamespacePage>;

/** The page that follows `before`. `inherited`: what was served when this operator began. */
export function turnPage(
  before: NamespacePage | undefined,
  inherited: ServedConfig | undefined,
  { served, now, ...findings }: Pick<NamespacePage, 'served' | 'routes' | 'endpoints' | 'generations'> & { now: number },
): NamespacePage {
  const revision = served?.config.revision;
  const isNew = revision !== before?.served?.config.revision;
  const known = before?.revisions ?? (inherited ? [revisionOf(inherited)] : []);
  const others = known.filter((other) => other.revision !== revision);
  return {
    ...findings,
    served,
    publishedAt: isNew ? now : (before?.publishedAt ?? now),
    revisions: served ? [...others, revisionOf(served)].slice(-MAX_REVISIONS) : others,
  };
}

function revisionOf({ config, fingerprints }: ServedConfig): NamespacePage['revisions'][number] {
  return { revision: config.revision, fingerprints };
}

export interface ServedRoute {
  runtime: RuntimeRoute | undefined;
  /** The revision that brought this route as it is; not the newest, which another route may have brought. */
  revision: string;
  /** The served revision, and each before it in which this route was just the same: who serves one of these serves this route. */
  equivalentRevisions: ReadonlySet<string>;
}

/** `shown`: the revision in the route's status. It stays for as long as the route is the same as in that one. */
export function servedRoute({ served, revisions }: NamespacePage, name: string, shown: string | undefined): ServedRoute {
  const runtime = served?.config.routes.find((route) => route.name === name);
  const fingerprint = served?.fingerprints.get(name);
  const equivalent = revisions.filter(({ fingerprints }) => fingerprint !== undefined && fingerprints.get(name) === fingerprint);
  const equivalentRevisions = new Set(equivalent.map(({ revision }) => revision));
  const newest = served?.config.revision ?? '';
  if (shown === undefined || shown === '' || equivalentRevisions.size === 0)
    return { runtime, revision: newest, equivalentRevisions };
  // One that is older than all that are known brought the route, when the route has not changed since.
  const isOlder = !revisions.some(({ revision }) => revision === shown);
  const stays = equivalentRevisions.has(shown) || (isOlder && equivalent.length === revisions.length);
  return { runtime, revision: stays ? shown : newest, equivalentRevisions };
}
