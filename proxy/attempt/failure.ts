/** The class of a failed attempt decides what is done about it: see docs/failure-classes.md. */
export type FailureClass =
  | 'Transport'
  | 'Overload'
  | 'RateLimit'
  | 'Account'
  | 'Capability'
  | 'Request'
  | 'Malformed'
  | 'Stall'
  | 'AfterCommit'
  | 'ClientAbort';

/** What kind of account trouble: which cooldown and which condition it becomes. */
export type AccountReason = 'CredentialsMissing' | 'CredentialsRefused' | 'QuotaExhausted';

/** An answer of a provider that is given to the client as it came: its errors are the provider's own words. */
export interface ProviderAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** Why an attempt failed, in words and in figures. No part of it holds a key. */
export interface Failure {
  class: FailureClass;
  /** Stable, lower-case: the provider's own code where it sent one (`server_is_overloaded`), else ours (`connect_timeout`). */
  code: string;
  message: string;
  /** HTTP status of the provider, where one came. */
  status?: number;
  /** How long the provider asks to be left alone. */
  retryAfterMs?: number;
  account?: AccountReason;
  /** The model does not exist there: another target may have it. */
  modelNotFound?: boolean;
  /** A single 5xx or a reset: a quick second try at the same target may do. */
  quickRetry?: boolean;
  /** Given to the client when nothing better is found; absent where it might tell of our account. */
  answer?: ProviderAnswer;
}
