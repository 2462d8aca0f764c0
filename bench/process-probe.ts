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

process.on('message', (question) => {
  if (question === 'cpu') {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuMicroseconds: user + system } satisfies CpuAnswer);
  } else if (question === 'memory') {
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
