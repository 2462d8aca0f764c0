import type { TokenReview } from './kube-client.ts';
import type { KubeTransport } from './kube-transport.ts';
import { collectionPath, RESOURCES } from './resources.ts';

interface TokenReviewAnswer {
  status?: {
    authenticated?: boolean;
    audiences?: string[];
    error?: string;
    user?: { username?: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> };
  };
}

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/** Asks the API server who stands behind a token, and that it was made for one of these audiences. */
export async function reviewToken(
  transport: KubeTransport,
  token: string,
  audiences: readonly string[],
  signal?: AbortSignal,
): Promise<TokenReview> {
  const { apiVersion, kind } = RESOURCES.TokenReview;
  const answer = await transport.request<TokenReviewAnswer>({
    method: 'POST',
    path: collectionPath(RESOURCES.TokenReview),
    body: { apiVersion, kind, spec: { token, audiences } },
    signal,
  });
  return readTokenReview(answer, audiences);
}

export function readTokenReview({ status }: TokenReviewAnswer, audiences: readonly string[]): TokenReview {
  if (!status?.authenticated) return { authenticated: false, reason: status?.error ?? 'the API server does not know this token' };
  // An authenticator that knows nothing of audiences accepts a token of any: only an audience that is confirmed counts.
  // https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/
  const confirmed = (status.audiences ?? []).filter((audience) => audiences.includes(audience));
  if (confirmed.length === 0)
    return { authenticated: false, reason: `the token is not made for the audience ${audiences.join(', ')}` };

  const { username = '', uid, groups = [], extra = {} } = status.user ?? {};
  const [, namespace, name] = SERVICE_ACCOUNT.exec(username) ?? [];
  const podName = extra['authentication.kubernetes.io/pod-name']?.[0];
  const podUid = extra['authentication.kubernetes.io/pod-uid']?.[0];
  return {
    authenticated: true,
    username,
    groups,
    audiences: confirmed,
    ...(uid === undefined ? {} : { uid }),
    ...(namespace && name ? { serviceAccount: { namespace, name } } : {}),
    ...(podName === undefined ? {} : { pod: { name: podName, ...(podUid === undefined ? {} : { uid: podUid }) } }),
  };
}
