import { pino } from 'pino';
import { createEventRecorder } from '../../../operator/kube/create-event-recorder.ts';
import type { EventRecorder } from '../../../operator/kube/event-recorder.ts';
import type { KubeObject } from '../../../operator/kube/kube-object.ts';
import { RESOURCES } from '../../../operator/kube/resources.ts';
import { eventually } from '../../eventually.ts';
import { type Cluster, startCluster } from './cluster.ts';

describe('Events on a real API server', () => {
  let cluster: Cluster;
  const cleanups: (() => unknown)[] = [];
  beforeAll(async () => {
    cluster = await startCluster('recorder');
  }, 180_000);
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  afterAll(() => cluster?.stop());

  function start() {
    const steps: string[] = [];
    const lines: string[] = [];
    const recorder: EventRecorder = createEventRecorder({
      client: cluster.client,
      instance: 'operator-0',
      logger: pino({}, { write: (line) => lines.push(line) }),
      observe: (step) => steps.push(step),
    });
    const stop = new AbortController();
    const running = recorder.run(stop.signal);
    const end = async () => {
      stop.abort();
      await running;
    };
    cleanups.push(end);
    const count = (step: string) => steps.filter((one) => one === step).length;
    return { recorder, lines, count, end };
  }

  const service = (name: string) =>
    cluster.client.create<KubeObject>({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'default', name },
      spec: { clusterIP: 'None', ports: [{ port: 80 }] },
    });
  const describeService = async (name: string) => (await cluster.controlPlane.kubectl(['describe', 'service', name])).stdout;
  const eventsOf = async (name: string) =>
    (await cluster.client.list<KubeObject>(RESOURCES.Event, { namespace: 'default' })).filter(
      ({ regarding }) => (regarding as { name: string }).name === name,
    );

  it('are shown by kubectl describe', async () => {
    const { recorder } = start();
    const about = await service('shown');
    recorder.record(about, { type: 'Warning', reason: 'FailedOver', message: 'openai/us-east is down: 7 of 20 requests failed' });
    await eventually(async () => {
      expect(await describeService('shown')).toMatch(
        /Warning\s+FailedOver\s+\S+\s+understudy\.dev\/operator\S*\s+openai\/us-east is down: 7 of 20 requests failed/,
      );
    });
  });

  it('count repeats in one Event, with few writes', async () => {
    const { recorder, end, count } = start();
    const about = await service('repeated');
    for (let i = 0; i < 200; i += 1)
      recorder.record(about, { type: 'Normal', reason: 'Programmed', message: 'all proxies serve' });
    await eventually(() => expect(count('Written')).toBe(1));
    for (let i = 0; i < 200; i += 1)
      recorder.record(about, { type: 'Normal', reason: 'Programmed', message: 'all proxies serve' });
    await end();
    expect(count('Written')).toBe(2);
    expect(await eventsOf('repeated')).toMatchObject([{ reason: 'Programmed', series: { count: 400 } }]);
    expect(await describeService('repeated')).toMatch(/\(x400 over/);
  });

  it('of one object that says too much are dropped, and those of others are not', async () => {
    const { recorder, count } = start();
    const noisy = await service('noisy');
    const quiet = await service('quiet');
    for (let i = 0; i < 100; i += 1) recorder.record(noisy, { type: 'Warning', reason: 'Flapping', message: `the ${i}th time` });
    recorder.record(quiet, { type: 'Normal', reason: 'Recovered', message: 'back' });
    await eventually(() => expect(count('Written')).toBe(26));
    expect(count('Dropped')).toBe(75);
    expect(await eventsOf('quiet')).toHaveLength(1);
  });

  it('wait for an API server that is away, and recording does not', async () => {
    const { recorder, count } = start();
    const about = await service('patient');
    await cluster.controlPlane.killApiServer();
    recorder.record(about, { type: 'Normal', reason: 'FailedOver', message: 'while nobody listened' });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(count('Written') + count('Dropped')).toBe(0);
    await cluster.controlPlane.startApiServer();
    await eventually(() => expect(count('Written')).toBe(1));
    expect(await eventsOf('patient')).toHaveLength(1);
  }, 120_000);

  it('that the API server refuses are logged, and do not hold up the next', async () => {
    const { recorder, count, lines } = start();
    const about = await service('refused');
    recorder.record(
      { ...about, metadata: { ...about.metadata, namespace: 'absent' } },
      { type: 'Normal', reason: 'Lost', message: 'a' },
    );
    recorder.record(about, { type: 'Normal', reason: 'Taken', message: 'ü'.repeat(2_000) });
    await eventually(() => expect(count('Written')).toBe(1));
    expect(count('Dropped')).toBe(1);
    expect(lines.join()).toMatch(/an Event was dropped: the API server does not take it/);
    expect(String((await eventsOf('refused'))[0]?.note)).toMatch(/^ü{500,}…$/);
  });
});
