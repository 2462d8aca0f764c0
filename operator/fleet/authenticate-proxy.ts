import { createHash } from 'node:crypto';
import { FLEET_AUDIENCE } from '../../contract/fleet.ts';
import type { Clock } from '../kube/clock.ts';
import type { KubeClient, TokenReview } from '../kube/kube-client.ts';

/** A verdict is asked for again after this, so that a ServiceAccount that was deleted loses its access within a minute. */
export const ACCEPTED_FOR_MS = 60_000;
/** Shorter: a token that was refused may become good, for instance when RBAC or a ServiceAccount is put right. */
export const REFUSED_FOR_MS = 5_000;
/** Verdicts of each sort that are remembered. Two for each of 2,000 proxies, since their tokens rotate. */
export const MAX_REMEMBERED_VERDICTS = 4_096;
/** TokenReviews at once: who shows made-up tokens must not flood the API server. */
export const MAX_REVIEWS_AT_ONCE = 32;
/** A proxy needs one, and a few may share an address; who shows made-up tokens must not take the place of all the others. */
export const MAX_REVIEWS_OF_ONE_PEER = 8;
/** A ServiceAccount token has about 1 kB. */
export const MAX_TOKEN_LENGTH = 8_192;

export interface ProxyIdentity {
  /** Namespace of the ServiceAccount: the only one that its holder hears of, or reports about. */
  namespace: string;
  /** Pod that the token is bound to, when it is. */
  pod?: string | undefined;
}

export type Authentication =
  | { outcome: 'Accepted'; identity: ProxyIdentity }
  /** 401: no token, or the API server does not know it. */
  | { outcome: 'Unauthenticated'; message: string }
  /** 403: a good token, but not one of a proxy. */
  | { outcome: 'Forbidden'; message: string }
  /** 503: the API server can't be asked now, or too many ask at once. */
  | { outcome: 'Unavailable'; message: string };

export interface AuthenticateProxyOptions {
  client: Pick<KubeClient, 'reviewToken'>;
  /** Name of the ServiceAccount that proxies run as, in whatever namespace. */
  serviceAccount: string;
  clock: Pick<Clock, 'monotonic'>;
}

/** Takes the value of an `authorization` header, and the address that showed it. Never rejects. */
export type AuthenticateProxy = (authorization: string | undefined, peer?: string) => Promise<Authentication>;

type Verdict = Exclude<Authentication, { outcome: 'Unavailable' }>;
/** In the order of asking, so that the oldest is the first to go. */
type Remembered = Map<string, { verdict: Verdict; until: number }>;

export function createAuthenticateProxy({ client, serviceAccount, clock }: AuthenticateProxyOptions): AuthenticateProxy {
  // By hash, so that no heap dump of the operator holds tokens.
  // Refused ones apart: made-up tokens cost nothing, and must not push out those that are good.
  const accepted: Remembered = new Map();
  const refused: Remembered = new Map();
  const asking = new Map<string, { answer: Promise<Authentication>; peer: string }>();

  async function ask(token: string, hash: string): Promise<Authentication> {
    try {
      const verdict = judge(await client.reviewToken(token, [FLEET_AUDIENCE]), serviceAccount);
      remember(hash, verdict);
      return verdict;
    } catch (error) {
      // The error names the request and never the token: see KubeError.
      return {
        outcome: 'Unavailable',
        message: `the token can't be reviewed now: ${error instanceof Error ? error.message : error}`,
      };
    } finally {
      asking.delete(hash);
    }
  }

  function remember(hash: string, verdict: Verdict): void {
    const [remembered, keptFor] = verdict.outcome === 'Accepted' ? [accepted, ACCEPTED_FOR_MS] : [refused, REFUSED_FOR_MS];
    accepted.delete(hash);
    refused.delete(hash);
    if (remembered.size >= MAX_REMEMBERED_VERDICTS) remembered.delete(remembered.keys().next().value!);
    remembered.set(hash, { verdict, until: clock.monotonic() + keptFor });
  }

  function hasRoom(peer: string): boolean {
    if (asking.size >= MAX_REVIEWS_AT_ONCE) return false;
    return [...asking.values()].filter((other) => other.peer === peer).length < MAX_REVIEWS_OF_ONE_PEER;
  }

  return async (authorization, peer = '') => {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined || token.length > MAX_TOKEN_LENGTH) {
      return { outcome: 'Unauthenticated', message: 'show the ServiceAccount token as "Authorization: Bearer …"' };
    }
    const hash = createHash('sha256').update(token).digest('base64');
    const known = accepted.get(hash) ?? refused.get(hash);
    if (known !== undefined && clock.monotonic() < known.until) return known.verdict;
    const underWay = asking.get(hash);
    if (underWay !== undefined) return underWay.answer;
    if (!hasRoom(peer)) {
      return { outcome: 'Unavailable', message: 'too many tokens are being reviewed at once' };
    }
    const answer = ask(token, hash);
    asking.set(hash, { answer, peer });
    return answer;
  };
}

/** Pure: what a review says of a proxy. */
export function judge(review: TokenReview, serviceAccount: string): Verdict {
  if (!review.authenticated) return { outcome: 'Unauthenticated', message: `the API server refuses the token: ${review.reason}` };
  if (!review.audiences.includes(FLEET_AUDIENCE)) {
    return { outcome: 'Forbidden', message: `the token is not meant for the audience ${FLEET_AUDIENCE}` };
  }
  if (review.serviceAccount === undefined) {
    return { outcome: 'Forbidden', message: `the token is of ${review.username}, which is no ServiceAccount` };
  }
  const { namespace, name } = review.serviceAccount;
  if (name !== serviceAccount) {
    return {
      outcome: 'Forbidden',
      message: `the token is of ServiceAccount ${namespace}/${name}; proxies run as ServiceAccount ${serviceAccount}`,
    };
  }
  return { outcome: 'Accepted', identity: { namespace, pod: review.pod?.name } };
}
