import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Attempt, type AttemptOutcome, type StreamSink } from '../attempt/attempt.ts';
import type { Failure } from '../attempt/failure.ts';
import type { UpstreamPools } from '../attempt/upstream-pools.ts';
import { type Operation, pathBelowBase } from '../formats/openai/operations.ts';
import { type OpenAIRequest, withModel } from '../formats/openai/read-request.ts';
import type { HealthBook } from '../health/health-book.ts';
import type { Limits } from '../limits.ts';
import type { CredentialSource } from '../proxy.ts';
import { nextTarget, orderTargets } from '../routing/order-targets.ts';
import { MISSING_KEY, readKey } from '../routing/read-key.ts';
import type { RetryBudget } from '../routing/retry-budget.ts';
import type { ServingRoute, ServingTarget } from '../routing/serving-config.ts';
import { signalOf } from './signal-of.ts';
import { upstreamHeaders } from './upstream-headers.ts';

/** A quick retry waits this long, more or less by half: long enough for a load balancer to choose another machine. */
const QUICK_RETRY_DELAY = 50;

export interface ChainDependencies {
  book: HealthBook;
  pools: UpstreamPools;
  credentials: CredentialSource;
  limits: Limits;
  clock: () => number;
  random: () => number;
  logger: Logger;
}

export interface ChainRequest {
  route: ServingRoute;
  budget: RetryBudget;
  operation: Operation;
  url: string;
  clientHeaders: NodeJS.Dict<string | string[]>;
  asked: OpenAIRequest;
  sink: StreamSink;
}

/** One attempt, as evidence: what was tried, what came of it, and how long it took. */
export interface AttemptRecord {
  target: string;
  class: 'Success' | Failure['class'];
  code?: string;
  status?: number;
  message?: string;
  milliseconds: number;
}

export type ChainResult =
  | { kind: 'answer'; target: ServingTarget; outcome: Extract<AttemptOutcome, { kind: 'answer' }> }
  | { kind: 'streamed'; target: ServingTarget; firstContentMs: number }
  /** Nothing went out. `final` is a failure that no other target can mend. */
  | { kind: 'failed'; failures: Failure[]; final: Failure | undefined }
  | { kind: 'broken'; target: ServingTarget; failure: Failure; firstContentMs: number }
  | { kind: 'aborted' };

/** What is done after a failed attempt. */
type Next = { kind: 'sameTarget'; afterMs: number } | { kind: 'nextTarget' };

/** One request on its way along the chain: attempts until one answers, within one budget of attempts and one deadline. */
export class ChainRun {
  readonly attempts: AttemptRecord[] = [];
  /** The target that is being tried or has answered. */
  current: ServingTarget | undefined;
  readonly #deps: ChainDependencies;
  readonly #request: ChainRequest;
  readonly #deadline: number;
  #attempt: Attempt | undefined;
  /** Attempts that were begun, the present one included. */
  started = 0;
  #isAborted = false;
  /** How long the present attempt may take to its first content, or to its whole unary answer. */
  #contentWait = 0;
  /** Ends a wait; made for one only. */
  #stopWaiting: AbortController | undefined;

  constructor(dependencies: ChainDependencies, request: ChainRequest) {
    this.#deps = dependencies;
    this.#request = request;
    this.#deadline = dependencies.clock() + request.route.route.timeouts.total;
  }

  /** The client has gone: what is under way is cut at once. */
  abort(): void {
    this.#isAborted = true;
    this.#attempt?.abort({ class: 'ClientAbort', code: 'client_abort', message: 'the client closed the connection' });
    this.#stopWaiting?.abort();
  }

  async run(): Promise<ChainResult> {
    const { route, budget } = this.#request;
    const { clock, random } = this.#deps;
    const { retries } = route.route;
    const ordered = orderTargets(route, random);
    const tried = new Set<ServingTarget>();
    const failures: Failure[] = [];
    const admit = ({ record }: ServingTarget) => record.admit(clock(), random);
    const isRecovering = ({ record }: ServingTarget) => record.isRecovering(clock());
    budget.onRequest(clock());
    let target = nextTarget(ordered, tried, admit, isRecovering);
    let retriesHere = 0;
    while (target !== undefined && !this.#isAborted) {
      tried.add(target);
      this.current = target;
      const others = ordered.length - tried.size;
      const startedAt = clock();
      const outcome = await this.#try(target, others);
      this.#note(target, outcome, startedAt);
      this.#learn(target, outcome, startedAt);
      if (outcome.kind === 'answer') return { kind: 'answer', target, outcome };
      if (outcome.kind === 'streamed') return { kind: 'streamed', target, firstContentMs: outcome.firstContentMs };
      if (outcome.kind === 'broken')
        return outcome.failure.class === 'ClientAbort'
          ? { kind: 'aborted' }
          : { kind: 'broken', target, failure: outcome.failure, firstContentMs: outcome.firstContentMs };
      const { failure } = outcome;
      if (failure.class === 'ClientAbort') return { kind: 'aborted' };
      failures.push(failure);
      if (isFinal(failure)) return { kind: 'failed', failures, final: failure };
      if (this.started >= retries.maxAttempts || clock() >= this.#deadline) break;
      const next = this.#decide(failure, target, retriesHere, others);
      if (next.kind === 'sameTarget') {
        retriesHere += 1;
        await this.#wait(next.afterMs);
      } else {
        retriesHere = 0;
        target = nextTarget(ordered, tried, admit, isRecovering);
      }
    }
    return this.#isAborted ? { kind: 'aborted' } : { kind: 'failed', failures, final: undefined };
  }

  async #try(target: ServingTarget, others: number): Promise<AttemptOutcome> {
    const { route, operation, url, clientHeaders, asked, sink } = this.#request;
    const { credentials, pools, limits, clock } = this.#deps;
    const key = readKey(credentials, target);
    if (key === MISSING_KEY) return { kind: 'failed', failure: KEY_IS_MISSING };
    this.started += 1;
    const { timeouts, streaming } = route.route;
    const left = Math.max(1, this.#deadline - clock());
    // While others remain, a unary answer that hangs must leave them time to answer.
    const response = Math.min(left, timeouts.response ?? (others > 0 ? Math.max(timeouts.firstContent, left / 2) : left));
    this.#contentWait = asked.stream ? timeouts.firstContent : response;
    this.#attempt = new Attempt(
      {
        origin: target.origin,
        path: target.basePath + pathBelowBase(url),
        headers: upstreamHeaders(clientHeaders, key),
        body: withModel(asked, target.target.model),
        operation,
        streaming: asked.stream,
        commit: streaming.commit,
        key,
        waits: {
          connect: timeouts.connect,
          content: this.#contentWait,
          idle: timeouts.idle,
          total: left,
        },
        limits,
      },
      asked.stream ? sink : undefined,
      clock,
    );
    return this.#attempt.start(pools.get(target.origin, timeouts.connect)).outcome;
  }

  #decide(failure: Failure, target: ServingTarget, retriesHere: number, untried: number): Next {
    const { retries } = this.#request.route.route;
    // A second try must not cost a target further down its first one: two regions that fail would use up what the fallback needs.
    if (retries.maxAttempts - this.started <= untried) return { kind: 'nextTarget' };
    const { clock, random } = this.#deps;
    // Once for each target: one that keeps asking for a little more time would be waited for without end.
    if (
      failure.class === 'RateLimit' &&
      failure.retryAfterMs !== undefined &&
      failure.retryAfterMs <= retries.waitUpTo &&
      retriesHere === 0
    ) {
      if (clock() + failure.retryAfterMs < this.#deadline) return { kind: 'sameTarget', afterMs: failure.retryAfterMs };
    }
    const quick = failure.quickRetry === true && retriesHere < retries.sameTarget && target.record.isOpen(clock());
    if (quick && this.#request.budget.take(retries.budgetPercent, clock())) {
      return { kind: 'sameTarget', afterMs: QUICK_RETRY_DELAY * (0.5 + random()) };
    }
    return { kind: 'nextTarget' };
  }

  async #wait(milliseconds: number): Promise<void> {
    this.#stopWaiting = new AbortController();
    await sleep(milliseconds, undefined, { signal: this.#stopWaiting.signal }).catch(() => undefined);
  }

  #learn(target: ServingTarget, outcome: AttemptOutcome, startedAt: number): void {
    const { clock, book } = this.#deps;
    const { operation } = this.#request;
    const { record } = target;
    const signal = signalOf(outcome, startedAt, clock() - startedAt, this.#contentWait);
    if (signal === undefined) return;
    if (signal.kind === 'success') record.answered = operation;
    if (
      signal.kind === 'refusal' &&
      outcome.kind === 'failed' &&
      isOfOperation(outcome.failure) &&
      (record.answered ?? operation) !== operation
    )
      return;
    book.observe(record, signal);
  }

  #note(target: ServingTarget, outcome: AttemptOutcome, startedAt: number): void {
    const now = this.#deps.clock();
    const failure = outcome.kind === 'failed' || outcome.kind === 'broken' ? outcome.failure : undefined;
    const attemptClass = failure?.class ?? 'Success';
    const { record, attempts } = target;
    attempts.set(attemptClass, (attempts.get(attemptClass) ?? 0) + 1);
    const counted = failure !== undefined && COUNTED.has(failure.class);
    record.attempts += 1;
    if (counted) record.failures += 1;
    record.recent.add(counted, now);
    if ((outcome.kind === 'streamed' || outcome.kind === 'broken') && outcome.firstContentMs > 0)
      record.firstToken.add(outcome.firstContentMs);
    this.attempts.push({
      target: target.target.id,
      class: attemptClass,
      ...(failure === undefined ? {} : { code: failure.code, message: failure.message }),
      ...(failure?.status === undefined ? {} : { status: failure.status }),
      milliseconds: Math.round(now - startedAt),
    });
  }
}

const COUNTED: ReadonlySet<string> = new Set(['Transport', 'Overload', 'Malformed', 'Stall', 'AfterCommit']);
const KEY_IS_MISSING: Failure = {
  class: 'Account',
  code: 'credentials_missing',
  message: 'the Secret of the endpoint, or its key, is missing',
  account: 'CredentialsMissing',
};

/**
 * OpenAI refuses what a model is not for (embeddings of a chat model) with the statuses of a forbidden key and of a missing model. When the
 * target answers another operation, that is all it means: one client's mistake must not take the target from all others.
 */
function isOfOperation({ status }: Failure): boolean {
  return status === 403 || status === 404;
}

/** The request itself is at fault, or what it needs is beyond the model: another target is asked only where it is known to be able. */
function isFinal(failure: Failure): boolean {
  return failure.class === 'Request' || (failure.class === 'Capability' && failure.modelNotFound !== true);
}
