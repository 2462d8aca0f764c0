import type { RuntimeConfig, RuntimeEndpoint } from '../../contract/runtime-config.ts';
import { encodeConfig } from '../encode-config.ts';
import type { ProxySettings } from './proxy-settings.ts';
import { workload } from './workload.ts';

describe('workload', () => {
  it('makes what a pod needs before the pod, under labels that tell whose it is', () => {
    const objects = workload(input());
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`)).toEqual([
      'ServiceAccount sales/understudy-proxy',
      'ConfigMap sales/understudy-proxy',
      'Service sales/understudy',
      'PodDisruptionBudget sales/understudy-proxy',
      'Deployment sales/understudy-proxy',
    ]);
    for (const { metadata } of objects) {
      expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'understudy-operator' });
    }
  });

  it('mounts each key once, optionally, in an order that does not depend on the endpoints', () => {
    const endpoints = [endpoint('b', 'b'), endpoint('a', 'a'), endpoint('c', 'a'), endpoint('keyless')];
    const mounted = sources(endpoints);
    expect(mounted).toEqual(sources([...endpoints].reverse()));
    expect(mounted).toEqual(
      ['a', 'b'].map((name) => ({ secret: { name, items: [{ key: 'apiKey', path: `${name}/apiKey` }], optional: true } })),
    );
  });

  it('starts no proxy anew for a config that needs the same keys', () => {
    const before = deployment(input({ endpoints: [endpoint('a', 'a')] }));
    const after = deployment(input({ revision: 'r2', endpoints: [endpoint('a', 'a'), endpoint('keyless')] }));
    expect(after).toEqual(before);
  });

  it('gives a proxy no token but the one for the operator', () => {
    const { spec } = pod();
    expect(spec.automountServiceAccountToken).toBe(false);
    expect(spec.volumes.find((volume) => volume.name === 'token')?.projected?.sources).toEqual([
      { serviceAccountToken: { audience: 'understudy', expirationSeconds: 3_600, path: 'token' } },
    ]);
  });

  it('leaves a pod that stops as long as its drain may take', () => {
    const { spec } = pod();
    const args: string[] = spec.containers[0]!.args;
    const drain = Number.parseInt(args[args.indexOf('--drain') + 1]!, 10);
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(drain + spec.containers[0]!.lifecycle.preStop.sleep.seconds);
  });

  it('takes image, replicas and resources from the settings', () => {
    const made = deployment(input());
    expect(made).toMatchObject({ spec: { replicas: 3 } });
    expect(pod().spec.containers[0]).toMatchObject({ image: 'understudy:1', resources: SETTINGS.resources });
  });
});

const SETTINGS: ProxySettings = {
  image: 'understudy:1',
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: [],
  replicas: 3,
  resources: { requests: { cpu: '100m' }, limits: { memory: '512Mi' } },
  operatorURL: 'https://understudy-operator.understudy-system.svc:9443',
  logLevel: 'info',
};

interface Pod {
  spec: {
    automountServiceAccountToken: boolean;
    terminationGracePeriodSeconds: number;
    containers: { args: string[]; lifecycle: { preStop: { sleep: { seconds: number } } } }[];
    volumes: { name: string; projected?: { sources: object[] } }[];
  };
}

function input(overrides: Partial<RuntimeConfig> = {}) {
  const config: RuntimeConfig = { version: 1, namespace: 'sales', revision: 'r1', endpoints: [], routes: [], ...overrides };
  return { namespace: 'sales', config, encodedConfig: encodeConfig(config), caBundle: 'PEM', settings: SETTINGS };
}

function deployment(given: ReturnType<typeof input>) {
  return workload(given).find(({ kind }) => kind === 'Deployment')!;
}

function pod(endpoints: RuntimeEndpoint[] = []): Pod {
  return (deployment(input({ endpoints })).spec as { template: Pod }).template;
}

function sources(endpoints: RuntimeEndpoint[]): object[] | undefined {
  return pod(endpoints).spec.volumes.find((volume) => volume.name === 'credentials')?.projected?.sources;
}

function endpoint(name: string, secret?: string): RuntimeEndpoint {
  return {
    name,
    provider: 'OpenAICompatible',
    failureDomain: name,
    regions: [{ name: 'one', baseURL: 'https://a.example' }],
    ...(secret ? { credential: { secret, key: 'apiKey' } } : {}),
  };
}
