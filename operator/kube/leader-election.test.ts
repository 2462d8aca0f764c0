import { pino } from 'pino';
import { systemClock } from './clock.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeObject } from './kube-object.ts';
import { createLeaderElection } from './leader-election.ts';

describe('createLeaderElection', () => {
  it('ends with the fault of what it led, also when that comes while a renewal is under way', async () => {
    const renewing = Promise.withResolvers<void>();
    const client = {
      get: async () => undefined,
      create: async (lease: KubeObject) => ({ ...lease, metadata: { ...lease.metadata, resourceVersion: '1' } }),
      // As a socket does, it takes a moment to give up.
      update: (_lease: KubeObject, { signal }: { signal: AbortSignal }) => {
        renewing.resolve();
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => setTimeout(() => reject(new Error('given up')), 20));
        });
      },
    } as unknown as KubeClient;
    const election = createLeaderElection({
      client,
      lease: { namespace: 'system', name: 'operator' },
      identity: 'me',
      logger: pino({ level: 'silent' }),
      clock: systemClock,
      timings: { leaseDurationMs: 60_000, renewDeadlineMs: 50_000, retryPeriodMs: 1 },
      async lead() {
        await renewing.promise;
        throw new Error('the port is in use');
      },
    });
    // A rejection that nobody waits for yet would end the process at once, in the middle of everything.
    await expect(election.run(new AbortController().signal)).rejects.toThrow('the port is in use');
  });
});
