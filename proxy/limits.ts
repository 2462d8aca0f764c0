/** Every bound of the request path in one place: its value, and the reason for it. Times are milliseconds, sizes bytes. */
export interface Limits {
  /** Largest request body: OpenAI takes images up to 50 MB in a request; beyond it a proxy would only be a way to exhaust memory. */
  bodyBytes: number;
  /** All bodies that are held at once: half of the memory that a proxy is given by default. More is refused with 503 and Retry-After. */
  heldBodyBytes: number;
  /** Requests at once. Each holds its body until it is answered; more are refused with 503 and Retry-After. */
  concurrentRequests: number;
  /** Request line and headers together, as Node counts them; more is answered with 431. */
  headerBytes: number;
  /** How long a client may take to send its headers, and its whole request. */
  headersTimeout: number;
  requestTimeout: number;
  /** An idle keep-alive connection of a client: longer than most load balancers' 60 s, so that they close first. */
  idleSocketTimeout: number;
  /** Largest unary answer that is read whole before it is given on. */
  answerBytes: number;
  /** Largest event of a stream, and most that is held back before the first content. */
  eventBytes: number;
  heldBytes: number;
  /** Most that `commit: Complete` holds back of one answer. */
  completeBytes: number;
  /** Longest stream, however lively: a provider that drips for ever must end. */
  streamDuration: number;
  /** How long a client may leave what was sent to it unread. */
  slowClient: number;
}

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: 50 * 1024 * 1024,
  heldBodyBytes: 256 * 1024 * 1024,
  concurrentRequests: 4_096,
  headerBytes: 32 * 1024,
  headersTimeout: 30_000,
  requestTimeout: 120_000,
  idleSocketTimeout: 75_000,
  answerBytes: 32 * 1024 * 1024,
  eventBytes: 4 * 1024 * 1024,
  heldBytes: 1024 * 1024,
  completeBytes: 16 * 1024 * 1024,
  streamDuration: 3_600_000,
  slowClient: 60_000,
};
