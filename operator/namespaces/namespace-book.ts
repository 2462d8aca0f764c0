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

/** The page that follows `before`. */
export function turnPage(
  before: NamespacePage | undefined,
  { served, now, ...findings }: Pick<NamespacePage, 'served' | 'routes' | 'endpoints' | 'generations'> & { now: number },
): NamespacePage {
  const revision = served?.config.revision;
  const isNew = revision !== before?.served?.config.revision;
  const others = (before?.revisions ?? []).filter((known) => known.revision !== revision);
  return {
    ...findings,
    served,
    publishedAt: isNew ? now : (before?.publishedAt ?? now),
    revisions: served
      ? [...others, { revision: served.config.revision, fingerprints: served.fingerprints }].slice(-MAX_REVISIONS)
      : others,
  };
}

export interface ServedRoute {
  runtime: RuntimeRoute | undefined;
  revision: string;
  /** The served revision, and each before it in which this route was just the same: who serves one of these serves this route. */
  equivalentRevisions: ReadonlySet<string>;
}

export function servedRoute({ served, revisions }: NamespacePage, name: string): ServedRoute {
  const runtime = served?.config.routes.find((route) => route.name === name);
  const fingerprint = served?.fingerprints.get(name);
  const equivalent = revisions.filter(({ fingerprints }) => fingerprint !== undefined && fingerprints.get(name) === fingerprint);
  return {
    runtime,
    revision: served?.config.revision ?? '',
    equivalentRevisions: new Set(equivalent.map(({ revision }) => revision)),
  };
}
