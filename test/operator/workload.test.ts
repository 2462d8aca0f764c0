import { gunzipSync } from 'node:zlib';
import { eventually } from '../eventually.ts';
import { startCuttingProxy } from './kube/cutting-proxy.ts';
import { conditionOf, type OperatorHarness, type RunningOperator, startHarness } from './operator-harness.ts';
import { endpoint, namespace, route } from './resources.ts';

const KINDS = 'deployment,service,serviceaccount,configmap,poddisruptionbudget';

describe('the workload of a namespace, on a real API server', () => {
  let harness: OperatorHarness;
  let operator: RunningOperator;

  beforeAll(async () => {
    harness = await startHarness();
    operator = await harness.startOperator();
  }, 240_000);
  afterAll(() => harness?.stop(), 60_000);

  const standing = async (of: string): Promise<string[]> => {
    const found = await harness.kubectl(['get', KINDS, '-n', of, '-l', 'app.kubernetes.io/part-of=understudy', '-o', 'name']);
    return found.split('\n').filter(Boolean).sort();
  };
  const ALL = [
    'configmap/understudy-proxy',
    'deployment.apps/understudy-proxy',
    'poddisruptionbudget.policy/understudy-proxy',
    'service/understudy',
    'serviceaccount/understudy-proxy',
  ];

  it('is made with the first route, stays while one is left, and goes with the last', async () => {
    await harness.apply(namespace('coming'), endpoint('coming', 'alpha'));
    await harness.apply(route('coming', 'first', ['alpha/m']), route('coming', 'second', ['alpha/m']));
    await eventually(async () => expect(await standing('coming')).toEqual(ALL));

    await harness.kubectl(['delete', 'modelroute', 'first', '-n', 'coming']);
    await eventually(async () => {
      const config = await storedConfig(harness, 'coming');
      expect(config.routes.map(({ name }) => name)).toEqual(['second']);
    });
    expect(await standing('coming')).toEqual(ALL);

    await harness.kubectl(['delete', 'modelroute', 'second', '-n', 'coming']);
    await eventually(async () => expect(await standing('coming')).toEqual([]));
  });

  it('leaves alone what others have made in the namespace', async () => {
    const stranger = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'stranger', namespace: 'shared' },
      data: { a: 'b' },
    };
    await harness.apply(namespace('shared'), endpoint('shared', 'alpha'), stranger);
    await harness.apply(route('shared', 'only', ['alpha/m']));
    await eventually(async () => expect(await standing('shared')).toEqual(ALL));
    await harness.kubectl(['delete', 'modelroute', 'only', '-n', 'shared']);
    await eventually(async () => expect(await standing('shared')).toEqual([]));
    expect(await harness.kubectl(['get', 'configmap', 'stranger', '-n', 'shared', '-o', 'jsonpath={.data.a}'])).toBe('b');
  });

  it('takes nothing over that others have made under one of its names, and says what is in its way', async () => {
    const selector = { app: 'theirs' };
    const theirs = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'understudy', namespace: 'taken' },
      spec: { selector, ports: [{ port: 80 }] },
    };
    await harness.apply(namespace('taken'), theirs);
    await harness.apply(endpoint('taken', 'alpha'), route('taken', 'only', ['alpha/m']));
    await eventually(async () =>
      expect(conditionOf(await harness.route('taken', 'only'), 'Programmed')).toMatchObject({
        status: 'False',
        reason: 'WorkloadFailed',
        message: expect.stringContaining('Service "understudy"'),
      }),
    );
    const service = async () => JSON.parse(await harness.kubectl(['get', 'service', 'understudy', '-n', 'taken', '-o', 'json']));
    expect((await service()).spec.selector).toEqual(selector);
    await eventually(async () =>
      expect(await harness.kubectl(['describe', 'modelroute', 'only', '-n', 'taken'])).toMatch(/Warning +WorkloadFailed/),
    );

    await harness.kubectl(['delete', 'modelroute', 'only', '-n', 'taken']);
    await eventually(async () => expect(await standing('taken')).toEqual([]));
    expect((await service()).spec.selector).toEqual(selector);

    await harness.apply(route('taken', 'only', ['alpha/m']));
    await harness.kubectl(['delete', 'service', 'understudy', '-n', 'taken']);
    await eventually(async () => expect(await standing('taken')).toEqual(ALL));
    await eventually(async () =>
      expect(conditionOf(await harness.route('taken', 'only'), 'Programmed')).toMatchObject({ reason: 'NoProxies' }),
    );
  }, 240_000);

  it('says in the status what keeps it from being made', async () => {
    const quota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'none', namespace: 'small' },
      spec: { hard: { 'count/deployments.apps': '0' } },
    };
    await harness.apply(namespace('small'), quota);
    await eventually(async () => {
      const status = ['get', 'resourcequota', 'none', '-n', 'small', '-o', 'jsonpath={.status.hard}'];
      expect(await harness.kubectl(status)).toContain('deployments');
    });
    await harness.apply(endpoint('small', 'alpha'), route('small', 'only', ['alpha/m']));
    await eventually(async () =>
      expect(conditionOf(await harness.route('small', 'only'), 'Programmed')).toMatchObject({
        reason: 'WorkloadFailed',
        message: expect.stringContaining('exceeded quota'),
      }),
    );
  }, 120_000);

  it('is repaired when someone deletes or changes a part of it', async () => {
    await harness.apply(namespace('drift'), endpoint('drift', 'alpha'), route('drift', 'only', ['alpha/m']));
    await eventually(async () => expect(await standing('drift')).toEqual(ALL));
    await harness.kubectl(['delete', 'service', 'understudy', '-n', 'drift']);
    await harness.kubectl(['scale', 'deployment', 'understudy-proxy', '-n', 'drift', '--replicas=0']);
    await eventually(async () => {
      expect(await standing('drift')).toEqual(ALL);
      const replicas = ['get', 'deployment', 'understudy-proxy', '-n', 'drift', '-o', 'jsonpath={.spec.replicas}'];
      expect(await harness.kubectl(replicas)).toBe('2');
    });
  });

  it('is let into a namespace that enforces the restricted pod security profile', async () => {
    await harness.apply(namespace('strict', { 'pod-security.kubernetes.io/enforce': 'restricted' }));
    await harness.apply(endpoint('strict', 'alpha'), route('strict', 'only', ['alpha/m']));
    const pod = await eventually(async () => {
      const pods = JSON.parse(await harness.kubectl(['get', 'pods', '-n', 'strict', '-o', 'json'])).items;
      expect(pods).toHaveLength(2);
      return pods[0];
    });
    expect(pod.spec.volumes.map((volume: { name: string }) => volume.name)).toEqual(['config', 'ca', 'credentials', 'token']);
    const credentials = pod.spec.volumes[2].projected.sources;
    expect(credentials).toEqual([
      { secret: { name: 'alpha', items: [{ key: 'apiKey', path: 'alpha/apiKey' }], optional: true } },
    ]);
  });

  it('ends with its namespace, without an error that comes again and again', async () => {
    await harness.apply(namespace('ending'), endpoint('ending', 'alpha'), route('ending', 'only', ['alpha/m']));
    await eventually(async () => expect(await standing('ending')).toEqual(ALL));
    const before = operator.log().length;
    await harness.kubectl(['delete', 'namespace', 'ending', '--wait=true', '--timeout=60s']);
    await eventually(async () => expect(await harness.kubectl(['get', 'namespaces', '-o', 'name'])).not.toContain('ending'));
    const failures = operator
      .log()
      .slice(before)
      .split('\n')
      .filter((line) => line.includes('did not finish') && line.includes('"ending'));
    expect(failures.length).toBeLessThan(5);
  });

  it('holds no provider key, and the operator has no permission to read one', async () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'alpha', namespace: 'secrets' },
      stringData: { apiKey: 'sk-never' },
    };
    await harness.apply(namespace('secrets'), secret, endpoint('secrets', 'alpha'), route('secrets', 'only', ['alpha/m']));
    await eventually(async () => expect(await standing('secrets')).toEqual(ALL));
    const everything = await harness.kubectl([
      'get',
      `${KINDS},modelroutes,providerendpoints,events`,
      '-n',
      'secrets',
      '-o',
      'yaml',
    ]);
    expect(everything).not.toContain('sk-never');
    expect(everything).not.toContain(Buffer.from('sk-never').toString('base64'));
    for (const args of [
      ['get', 'secret', 'alpha', '-n', 'secrets'],
      ['get', 'secrets', '-n', 'secrets'],
      ['get', 'secrets', '-A'],
      ['get', 'secrets', '-n', 'understudy-system'],
    ]) {
      const { code, stderr } = await harness.controlPlane.kubectl(args, { kubeconfig: harness.operatorKubeconfig });
      expect({ args, code, forbidden: stderr.includes('Forbidden') || stderr.includes('forbidden') }).toEqual({
        args,
        code: 1,
        forbidden: true,
      });
    }
    const own = await harness.controlPlane.kubectl(['get', 'secret', 'understudy-ca', '-n', 'understudy-system', '-o', 'name'], {
      kubeconfig: harness.operatorKubeconfig,
    });
    expect(own.stdout.trim()).toBe('secret/understudy-ca');
  });
});

describe('the pod that leads', () => {
  let harness: OperatorHarness;

  beforeAll(async () => {
    harness = await startHarness();
  }, 240_000);
  afterAll(() => harness?.stop(), 60_000);

  /** Pods of the Deployment in the manifests, by name. They run nothing here: their names are lent to operators. */
  const pods = async (selector: string): Promise<string[]> => {
    const found = await harness.kubectl(['get', 'pods', '-l', selector, '-n', 'understudy-system', '-o', 'name']);
    return found
      .split('\n')
      .filter(Boolean)
      .map((name) => name.replace('pod/', ''));
  };
  const bothPods = () =>
    eventually(async () => {
      const found = await pods('app.kubernetes.io/name=understudy-operator');
      expect(found).toHaveLength(2);
      return found as [string, string];
    });
  /** Those that carry what the Service of the operator selects by. */
  const selected = async () => {
    const ofSystem = ['-n', 'understudy-system', '-o', 'json'];
    const service = JSON.parse(await harness.kubectl(['get', 'service', 'understudy-operator', ...ofSystem]));
    return pods(
      Object.entries(service.spec.selector)
        .map(([key, value]) => `${key}=${value}`)
        .join(),
    );
  };
  const leads = (operator: RunningOperator) =>
    eventually(async () => expect((await operator.get('/metrics'))?.body).toMatch(/understudy_operator_leader 1/));

  it('is the one that the Service of the operator selects, and no longer when it has stopped', async () => {
    const [pod] = await bothPods();
    // Left by a process of this pod that died as leader.
    await harness.kubectl(['label', 'pod', pod, '-n', 'understudy-system', 'understudy.dev/leader=true']);
    const operator = await harness.startOperator(['--pod', pod]);
    await leads(operator);
    await eventually(async () => expect(await selected()).toEqual([pod]));
    await operator.terminate();
    expect(await selected()).toEqual([]);
  });

  it('is no longer selected, once it can say so, when it lost the API server and another one leads', async () => {
    const [former, next] = await bothPods();
    const between = await startCuttingProxy(harness.controlPlane.apiServerUrl, harness.operatorKubeconfig);
    try {
      const first = await harness.startOperator(['--pod', former, '--kubeconfig', between.kubeconfig]);
      await leads(first);
      await eventually(async () => expect(await selected()).toEqual([former]));
      const second = await harness.startOperator(['--pod', next]);
      between.setWeather('Refused');
      between.cutAll();
      await leads(second);
      await eventually(async () => expect(await selected()).toContain(next));
      between.setWeather('Clear');
      await eventually(async () => expect(await selected()).toEqual([next]), 30_000);
    } finally {
      await between.close();
    }
  }, 240_000);
});

async function storedConfig(harness: OperatorHarness, of: string): Promise<{ routes: { name: string }[] }> {
  const path = 'jsonpath={.binaryData.config\\.json\\.gz}';
  const encoded = await harness.kubectl(['get', 'configmap', 'understudy-proxy', '-n', of, '-o', path]);
  return JSON.parse(gunzipSync(Buffer.from(encoded, 'base64')).toString());
}
