import { connectToCluster } from '../../../operator/kube/connect-to-cluster.ts';
import { createKubeClient } from '../../../operator/kube/create-kube-client.ts';
import { createLeaderElection } from '../../../operator/kube/leader-election.ts';
import { silent } from './cluster.ts';

/** A candidate as a process of its own, which can be killed: `node candidate.ts KUBECONFIG IDENTITY TIMINGS`. Writes a line for each moment that it leads. */
const [kubeconfig, identity, timings] = process.argv.slice(2) as [string, string, string];

const election = createLeaderElection({
  client: createKubeClient(connectToCluster({ kubeconfig, userAgent: identity })),
  lease: { namespace: 'default', name: 'killed' },
  identity,
  timings: JSON.parse(timings),
  logger: silent,
  async lead(signal) {
    while (!signal.aborted && election.isLeader()) {
      process.stdout.write(`${Date.now()}\n`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve())));
  },
});
await election.run(new AbortController().signal);
