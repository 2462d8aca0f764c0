import type { Logger } from 'pino';
import { createBackoff } from './backoff.ts';
import { type Clock, pause, systemClock } from './clock.ts';
import type { EventNote, EventRecorder } from './event-recorder.ts';
import { beginSeries, type EventSeries, eventObject, seriesKey, seriesPatch } from './event-series.ts';
import type { KubeClient } from './kube-client.ts';
import { isKubeError } from './kube-error.ts';
import type { KubeObject } from './kube-object.ts';
import { RESOURCES } from './resources.ts';
import { TokenBuckets } from './token-buckets.ts';

/** Series that are remembered, written or not. The oldest go first. */
const MAX_SERIES = 1_000;
/** A repeat within this time counts up; a later one is a new Event. client-go's time. */
const SERIES_WINDOW_MS = 6 * 60_000;
/** A count is written at most this often: a storm of repeats is one write. */
const COUNT_INTERVAL_MS = 30_000;
/** What one object may say: client-go's limits, against a resource that flaps. */
const RATE = { burst: 25, refillMs: 5 * 60_000, maxKeys: 4_096 };
/** Answers that refuse one Event. An API server that is away does not count: the Event waits. */
const MAX_REFUSALS = 5;
/** The API server forgets Events after an hour itself. */
const MAX_AGE_MS = 60 * 60_000;
const BACKOFF = { baseMs: 200, capMs: 10_000 };
/** How long a stopping operator may write what is left. */
const FLUSH_TIMEOUT_MS = 2_000;

export interface EventRecorderOptions {
  client: KubeClient;
  /** Name of this process, as `reportingInstance`: the pod's name. */
  instance: string;
  logger: Logger;
  clock?: Clock;
  random?: () => number;
  observe?: (step: 'Recorded' | 'Written' | 'Dropped') => void;
}

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, instance, logger, clock = systemClock, random = Math.random, observe = () => {} } = options;
  /** In the order of their last mention. */
  const series = new Map<string, EventSeries>();
  const buckets = new TokenBuckets(RATE, clock);
  let news = Promise.withResolvers<void>();

  function drop(one: EventSeries, why: string, error?: unknown): void {
    observe('Dropped');
    const { namespace, name } = one.about.metadata;
    logger.warn({ namespace, name, reason: one.note.reason, err: error }, `an Event was dropped: ${why}`);
  }

  function forgetOld(now: number): void {
    for (const [key, one] of series) {
      const isSpent = one.written === one.count && now - one.last > SERIES_WINDOW_MS;
      const isStale = one.written === 0 && now - one.first > MAX_AGE_MS;
      if (!isSpent && !isStale && series.size <= MAX_SERIES) continue;
      series.delete(key);
      if (one.written === 0) drop(one, isStale ? 'it could not be written for an hour' : 'too many wait');
    }
  }

  /** The next series that has something to write now. */
  function nextDue(now: number, flush: boolean): EventSeries | undefined {
    for (const one of series.values()) {
      if (one.written === 0) return one;
      if (one.written < one.count && (flush || now - one.writtenAt >= COUNT_INTERVAL_MS)) return one;
    }
    return undefined;
  }

  async function write(one: EventSeries, signal: AbortSignal): Promise<void> {
    const { count } = one;
    if (one.written === 0) {
      await client.create(eventObject(one, instance), { signal }).catch((error: unknown) => {
        if (!isKubeError(error, 'AlreadyExists')) throw error;
      });
      // What was said again meanwhile, or while the API server was away, is counted from the second on.
      one.written = 1;
    } else {
      await client.mergePatch(RESOURCES.Event, one.name, seriesPatch(one), { signal });
      one.written = count;
    }
    one.writtenAt = clock.now();
    observe('Written');
  }

  async function writeAll(signal: AbortSignal, flush: boolean): Promise<void> {
    const backoff = createBackoff(BACKOFF, random);
    let refusals = 0;
    for (let one = nextDue(clock.now(), flush); one && !signal.aborted; one = nextDue(clock.now(), flush)) {
      try {
        await write(one, signal);
        refusals = 0;
        backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        const answered = isKubeError(error) && error.status !== undefined;
        refusals += answered ? 1 : 0;
        const hopeless = isKubeError(error) ? !error.retryable : true;
        if (hopeless || refusals >= MAX_REFUSALS) {
          refusals = 0;
          series.delete(seriesKey(one.about, one.note));
          drop(one, 'the API server does not take it', error);
        } else {
          await pause(clock, backoff.next(), signal);
          forgetOld(clock.now());
        }
      }
    }
  }

  return {
    record(about: KubeObject, note: EventNote) {
      const now = clock.now();
      const key = seriesKey(about, note);
      const known = series.get(key);
      if (known && now - known.last <= SERIES_WINDOW_MS) {
        known.count += 1;
        known.last = now;
        series.delete(key);
        series.set(key, known);
      } else if (buckets.take(`${about.kind}/${about.metadata.namespace}/${about.metadata.name}`)) {
        series.delete(key);
        series.set(key, beginSeries(about, note, instance, now));
      } else {
        observe('Dropped');
        logger.debug({ name: about.metadata.name, reason: note.reason }, 'an Event was dropped: this object says too much');
        return;
      }
      observe('Recorded');
      forgetOld(now);
      news.resolve();
    },

    async run(signal) {
      while (!signal.aborted) {
        await writeAll(signal, false);
        forgetOld(clock.now());
        // Also without news there may be counts to write.
        const idle = new AbortController();
        const wake = () => idle.abort();
        signal.addEventListener('abort', wake, { once: true });
        void news.promise.then(wake);
        if (!signal.aborted) await pause(clock, COUNT_INTERVAL_MS, idle.signal);
        signal.removeEventListener('abort', wake);
        news = Promise.withResolvers<void>();
      }
      await writeAll(AbortSignal.timeout(FLUSH_TIMEOUT_MS), true);
    },
  };
}
