import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { connectToCluster } from '../../../operator/kube/connect-to-cluster.ts';
import { createKubeClient } from '../../../operator/kube/create-kube-client.ts';
import { createLeaderElection, type LeaderElection, type LeaseTimings } from '../../../operator/kube/leader-election.ts';
import type { Lease } from '../../../operator/kube/lease.ts';
import { RESOURCES } from '../../../operator/kube/resources.ts';
import { eventually } from '../../eventually.ts';
import { type Cluster, silent, startCluster } from './cluster.ts';
import { startCuttingProxy } from './cutting-proxy.ts';

/** A fifth of the real ones, in the same proportions. */
const TIMINGS: LeaseTimings = { leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 400 };

describe('leader election on a real API server', () => {
  let cluster: Cluster;
  const cleanups: (() => unknown)[] = [];
  beforeAll(async () => {
    cluster = await startCluster('judge');
  }, 180_000);
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  afterAll(() => cluster?.stop());

  interface Candidate {
    election: LeaderElection;
    started: number;
    stop: () => Promise<void>;
  }

  function candidate(
    identity: string,
    lease: string,
    kubeconfig = cluster.controlPlane.kubeconfig,
    lead = (signal: AbortSignal) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
  ): Candidate {
    const transport = connectToCluster({ kubeconfig, userAgent: identity });
    const stop = new AbortController();
    const self: Candidate = {
      started: 0,
      election: createLeaderElection({
        client: createKubeClient(transport),
        lease: { namespace: 'default', name: lease },
        identity,
        timings: TIMINGS,
        logger: silent,
        lead,
        onStartedLeading: () => {
          self.started += 1;
        },
      }),
      async stop() {
        stop.abort();
        await running;
        await transport.close();
      },
    };
    const running = self.election.run(stop.signal);
    cleanups.push(() => self.stop());
    return self;
  }

  /** Looks at both all the time, and counts the moments at which both led. */
  function watchBoth(a: Candidate, b: Candidate): { both: () => number; looks: () => number } {
    let both = 0;
    let looks = 0;
    const timer = setInterval(() => {
      looks += 1;
      if (a.election.isLeader() && b.election.isLeader()) both += 1;
    }, 1);
    cleanups.push(() => clearInterval(timer));
    return { both: () => both, looks: () => looks };
  }

  const leaseOf = (name: string) => cluster.client.get<Lease>(RESOURCES.Lease, { namespace: 'default', name });

  it('lets one lead, and the next at once when the first is stopped', async () => {
    const first = candidate('first', 'stopped');
    await eventually(() => expect(first.election.isLeader()).toBe(true));
    const second = candidate('second', 'stopped');
    const watched = watchBoth(first, second);
    const begun = (await leaseOf('stopped'))?.spec;
    await eventually(async () => expect((await leaseOf('stopped'))?.spec?.renewTime).not.toBe(begun?.renewTime));
    expect((await leaseOf('stopped'))?.spec).toMatchObject({ holderIdentity: 'first', acquireTime: begun?.acquireTime });
    expect(second.election.isLeader()).toBe(false);

    await first.stop();
    expect(first.election.isLeader()).toBe(false);
    await eventually(() => expect(second.election.isLeader()).toBe(true));
    expect((await leaseOf('stopped'))?.spec).toMatchObject({ holderIdentity: 'second', leaseTransitions: 1 });
    expect(watched.both()).toBe(0);
    expect(watched.looks()).toBeGreaterThan(0);
  });

  it('does not give the lease away before the work of the leader has ended', async () => {
    const end = Promise.withResolvers<void>();
    const first = candidate('slow', 'slow', undefined, () => end.promise);
    await eventually(() => expect(first.election.isLeader()).toBe(true));
    const stopping = first.stop();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await leaseOf('slow'))?.spec?.holderIdentity).toBe('slow');
    end.resolve();
    await stopping;
    expect((await leaseOf('slow'))?.spec?.holderIdentity ?? '').toBe('');
  });

  it('makes a leader stop that is cut off from the API server before another begins, and a candidate of it when it is back', async () => {
    const proxy = await startCuttingProxy(cluster.controlPlane.apiServerUrl, cluster.controlPlane.kubeconfig);
    cleanups.push(() => proxy.close());
    const first = candidate('cut-off', 'partition', proxy.kubeconfig);
    await eventually(() => expect(first.election.isLeader()).toBe(true));
    const second = candidate('reachable', 'partition');
    const watched = watchBoth(first, second);

    proxy.setWeather('Frozen');
    await eventually(() => expect(first.election.isLeader()).toBe(false));
    expect(second.election.isLeader()).toBe(false);
    await eventually(() => expect(second.election.isLeader()).toBe(true));
    proxy.cutAll();
    proxy.setWeather('Clear');
    await second.stop();
    await eventually(() => expect(first.election.isLeader()).toBe(true));
    expect(first.started).toBe(2);
    expect(watched.both()).toBe(0);
  });

  it('keeps its leader over an API server that is away for less than the renew deadline', async () => {
    const proxy = await startCuttingProxy(cluster.controlPlane.apiServerUrl, cluster.controlPlane.kubeconfig);
    cleanups.push(() => proxy.close());
    const first = candidate('patient', 'short-absence', proxy.kubeconfig);
    await eventually(() => expect(first.election.isLeader()).toBe(true));
    for (let i = 0; i < 3; i += 1) {
      const { renewTime } = (await leaseOf('short-absence'))?.spec ?? {};
      proxy.setWeather('Refused');
      proxy.cutAll();
      await new Promise((resolve) => setTimeout(resolve, 500));
      proxy.setWeather('Clear');
      await eventually(async () => expect((await leaseOf('short-absence'))?.spec?.renewTime).not.toBe(renewTime));
    }
    expect(first.started).toBe(1);
    expect(first.election.isLeader()).toBe(true);
  });

  it('lets another take over from a leader that was killed, and never both', async () => {
    const processes = ['killed', 'heir'].map((identity) => startProcess(identity));
    const [first, second] = processes as [Running, Running];
    cleanups.push(() => Promise.all(processes.map((one) => one.kill())));
    await eventually(() => expect(first.moments.length + second.moments.length).toBeGreaterThan(0));
    const [leader, heir] = first.moments.length > 0 ? [first, second] : [second, first];
    await eventually(() => expect(leader.moments.length).toBeGreaterThan(50));
    await leader.kill();
    expect(heir.moments).toEqual([]);
    await eventually(() => expect(heir.moments.length).toBeGreaterThan(10));
    expect(heir.moments[0]).toBeGreaterThan(leader.moments.at(-1)!);
  });

  interface Running {
    /** Wall-clock milliseconds at which it said that it leads. */
    moments: number[];
    kill(): Promise<void>;
  }

  function startProcess(identity: string): Running {
    const script = join(import.meta.dirname, 'candidate.ts');
    const child: ChildProcess = spawn(
      process.execPath,
      [script, cluster.controlPlane.kubeconfig, identity, JSON.stringify(TIMINGS)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, NODE_OPTIONS: '' },
      },
    );
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const moments: number[] = [];
    child.stdout?.on('data', (chunk: Buffer) => moments.push(...chunk.toString().trim().split('\n').map(Number)));
    return {
      moments,
      async kill() {
        child.kill('SIGKILL');
        await exited;
      },
    };
  }
});
