import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { RuntimeConfig } from '../../contract/runtime-config.ts';
import { connectToCluster } from '../../operator/kube/connect-to-cluster.ts';
import { createKubeClient } from '../../operator/kube/create-kube-client.ts';
import type { KubeObject } from '../../operator/kube/kube-object.ts';
import { RESOURCES } from '../../operator/kube/resources.ts';
import { type OperatorHarness, type RunningOperator, startHarness } from '../../test/operator/operator-harness.ts';
import { endpoint, namespace, route } from '../../test/operator/resources.ts';
import { quantile } from '../statistics.ts';
import { AcknowledgingProxy, type Arrival } from './acknowledging-proxy.ts';

const HELP = `Measures the operator on a real API server: from an applied change to every acknowledging proxy, and what a full resync writes.

Usage: node bench/operator/main.ts [--namespaces N] [--routes N] [--changes N]

  --namespaces N   namespaces, each with one proxy and two endpoints (default: 50)
  --routes N       routes in each (default: 10)
  --changes N      changes that are timed one by one (default: 100)

Needs the control plane's binaries; the first run builds them with Go (some minutes).
`;

const RESYNC_INTERVAL_S = 20;
const WITHIN_MS = 60_000;
/** Objects that one kubectl applies. */
const APPLY_AT_ONCE = 100;
/** Statuses and workloads have settled when nothing was written for so long. */
const QUIET_MS = 8_000;
const QUIET_WITHIN_MS = 300_000;
const MAX_P99_MS = 1_000;

const { values } = parseArgs({
  options: {
    namespaces: { type: 'string', default: '50' },
    routes: { type: 'string', default: '10' },
    changes: { type: 'string', default: '100' },
    help: { type: 'boolean', short: 'h' },
  },
});
const say = (line: string) => console.error(line);

if (values.help) console.log(HELP);
else {
  try {
    await bench(Number(values.namespaces), Number(values.routes), Number(values.changes));
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}

async function bench(namespaces: number, routesEach: number, changes: number): Promise<void> {
  say('starting a control plane');
  const harness = await startHarness();
  try {
    const names = Array.from({ length: namespaces }, (_, i) => `team-${i}`);
    say(`applying ${namespaces} namespaces with ${routesEach} routes and 2 endpoints each`);
    await applyAll(harness, names, routesEach);
    const operator = await harness.startOperator(['--resync-interval', `${RESYNC_INTERVAL_S}s`, '--log-level', 'warn']);
    say(`connecting ${namespaces} proxies`);
    const proxies: AcknowledgingProxy[] = [];
    for (const name of names) proxies.push(new AcknowledgingProxy(await harness.startProxy(name, 'proxy-0', operator)));
    const client = createKubeClient(
      connectToCluster({ kubeconfig: harness.controlPlane.kubeconfig, userAgent: 'understudy-bench' }),
    );
    await untilQuiet(harness);

    /** Makes one change to one route of a namespace; resolves with the arrival, counted from the beginning of the write. */
    const change = async (index: number, seconds: number): Promise<Arrival> => {
      const at = { namespace: names[index % namespaces]!, name: `route-${index % routesEach}` };
      const accepts = (config: RuntimeConfig) =>
        config.routes.some(({ name, timeouts }) => name === at.name && timeouts.total === seconds * 1_000);
      const arrival = proxies[index % namespaces]!.next(accepts, WITHIN_MS);
      const began = performance.now();
      await client.mergePatch<KubeObject>(RESOURCES.ModelRoute, at, { spec: { timeouts: { total: `${seconds}s` } } });
      const { appliedAt, acknowledgedAt } = await arrival;
      return { appliedAt: appliedAt - began, acknowledgedAt: acknowledgedAt - began };
    };
    say(`timing ${changes} changes, one by one`);
    const single: Arrival[] = [];
    for (let i = 0; i < changes; i++) single.push(await change(i, 200 + i));
    say(`timing one change in each of the ${namespaces} namespaces at once`);
    const burst = await Promise.all(names.map((_, i) => change(i, 1_000 + i)));

    say('waiting for all statuses, then for two resyncs that change nothing');
    await untilQuiet(harness);
    const resync = await measureResync(harness, operator);
    await report({ namespaces, routes: namespaces * routesEach, single, burst, resync });
  } finally {
    await harness.stop();
  }
}

async function applyAll(harness: OperatorHarness, names: readonly string[], routesEach: number): Promise<void> {
  const objects = names.flatMap((name) => [
    endpoint(name, 'primary'),
    endpoint(name, 'fallback'),
    ...Array.from({ length: routesEach }, (_, i) => route(name, `route-${i}`, ['primary/large', 'fallback/small'])),
  ]);
  const all = [...names.map((name) => namespace(name)), ...objects];
  for (let i = 0; i < all.length; i += APPLY_AT_ONCE) await harness.apply(...all.slice(i, i + APPLY_AT_ONCE));
}

async function untilQuiet(harness: OperatorHarness): Promise<void> {
  const deadline = Date.now() + QUIET_WITHIN_MS;
  while (harness.writesSince(new Date(Date.now() - QUIET_MS)).length > 0) {
    if (Date.now() > deadline) throw new Error(`the operator has not stopped writing within ${QUIET_WITHIN_MS} ms`);
    await sleep(1_000);
  }
}

/**
 * Two resyncs and a little: which writes the audit log shows, and how many reconciles of namespaces there were. Only a resync or a change
 * makes those (a proxy's report has statuses looked at), so that they prove that there was a resync.
 */
async function measureResync(
  harness: OperatorHarness,
  operator: RunningOperator,
): Promise<{ reconciles: number; writes: string[] }> {
  const began = new Date();
  const before = await reconcilesOf(operator);
  await sleep((2 * RESYNC_INTERVAL_S + 2) * 1_000);
  const writes = harness.writesSince(began).map(({ verb, requestURI }) => `${verb} ${requestURI}`);
  return { reconciles: (await reconcilesOf(operator)) - before, writes };
}

async function reconcilesOf(operator: RunningOperator): Promise<number> {
  const page = await operator.get('/metrics');
  if (page?.status !== 200) throw new Error('the operator does not show its metrics');
  const counts = [...page.body.matchAll(/^understudy_operator_reconciles_total\{[^}]*controller="namespaces"[^}]*\} (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

async function report(result: {
  namespaces: number;
  routes: number;
  single: readonly Arrival[];
  burst: readonly Arrival[];
  resync: { reconciles: number; writes: string[] };
}): Promise<void> {
  const { namespaces, routes, single, burst, resync } = result;
  const cells = (arrivals: readonly Arrival[], of: keyof Arrival) =>
    [0.5, 0.99]
      .map((share) =>
        Math.round(
          quantile(
            arrivals.map((arrival) => arrival[of]),
            share,
          ),
        ),
      )
      .join(' | ');
  const row = (title: string, arrivals: readonly Arrival[]) =>
    `| ${title} | ${cells(arrivals, 'appliedAt')} | ${cells(arrivals, 'acknowledgedAt')} |`;
  console.log(
    [
      `${routes} routes over ${namespaces} namespaces, ${new Date().toISOString().slice(0, 10)}`,
      '',
      '| from the write of a change, ms | served p50 | p99 | acknowledged p50 | p99 |',
      '| --- | ---: | ---: | ---: | ---: |',
      row(`${single.length} changes, one by one`, single),
      row(`one in each of ${namespaces} namespaces, at once`, burst),
      '',
      `Two full resyncs: ${resync.reconciles} reconciles of namespaces, ${resync.writes.length} writes.`,
    ].join('\n'),
  );
  const cache = join(import.meta.dirname, '../.cache');
  await mkdir(cache, { recursive: true });
  await writeFile(join(cache, 'operator.json'), `${JSON.stringify(result, null, 2)}\n`);
  if (resync.reconciles < 2 * namespaces)
    throw new Error(`${resync.reconciles} reconciles are no two resyncs of ${namespaces} namespaces`);
  if (resync.writes.length > 0) throw new Error(`a resync wrote: ${resync.writes.slice(0, 10).join(', ')}`);
  const p99 = quantile(
    single.map(({ acknowledgedAt }) => acknowledgedAt),
    0.99,
  );
  if (p99 > MAX_P99_MS) throw new Error(`a change took ${Math.round(p99)} ms to be acknowledged (p99), wanted ${MAX_P99_MS}`);
}
