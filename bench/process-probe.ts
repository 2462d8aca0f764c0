import { type Profiler, Session } from 'node:inspector/promises';

/**
 * Preloaded into every measured Node process (`node --import`), so that all are asked the same way: CPU time and memory of the
 * process itself, over its IPC channel.
 */
export interface CpuAnswer {
  /** User and system time of the process so far. */
  cpuMicroseconds: number;
}

export interface MemoryAnswer {
  /** All after a full garbage collection, in bytes. */
  rss: number;
  heap: number;
  external: number;
}

export type ProfileAnswer = Profiler.Profile;

/** Fine enough for functions of a few microseconds over a run of seconds. */
const PROFILE_INTERVAL_US = 200;
let profiler: Session | undefined;

async function beginProfile(): Promise<void> {
  profiler = new Session();
  profiler.connect();
  await profiler.post('Profiler.enable');
  await profiler.post('Profiler.setSamplingInterval', { interval: PROFILE_INTERVAL_US });
  await profiler.post('Profiler.start');
  process.send?.('begun');
}

async function endProfile(): Promise<void> {
  const { profile } = await profiler!.post('Profiler.stop');
  profiler!.disconnect();
  process.send?.(profile satisfies ProfileAnswer);
}

process.on('message', (question) => {
  if (question === 'cpu') {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuMicroseconds: user + system } satisfies CpuAnswer);
  } else if (question === 'begin profile') void beginProfile();
  else if (question === 'end profile') void endProfile();
  else if (question === 'memory') {
    // Twice: finalizers that the first run queues free memory in the second.
    globalThis.gc?.();
    setImmediate(() => {
      globalThis.gc?.();
      const { rss, heapUsed, external } = process.memoryUsage();
      process.send?.({ rss, heap: heapUsed, external } satisfies MemoryAnswer);
    });
  }
});
/** The channel must not keep a process alive that has finished; and a process whose bench has died must not outlive it. */
process.channel?.unref();
process.on('disconnect', () => process.exit(1));
