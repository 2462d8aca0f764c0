/** What the API server says of a token. */
export type TokenVerdict =
  | {
      authenticated: true;
      /** `system:serviceaccount:<namespace>:<name>` for a ServiceAccount. */
      username: string;
      /** The audiences asked for that the token is meant for. */
      audiences: readonly string[];
      /** The pod that the token is bound to, from `authentication.kubernetes.io/pod-name`. */
      podName?: string | undefined;
    }
  | { authenticated: false; message: string };

/** A TokenReview. Rejects when the API server can't be asked. */
export interface TokenReviewer {
  reviewToken(token: string, audience: string): Promise<TokenVerdict>;
}
