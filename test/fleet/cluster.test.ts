import { createAuthenticateProxy, REFUSED_FOR_MS } from '../../operator/fleet/authenticate-proxy.ts';
import { createCertificateAuthority } from '../../operator/fleet/certificate-authority.ts';
import { CA_SECRET_NAME, createSecretCaStore } from '../../operator/fleet/secret-ca-store.ts';
import { type Clock, systemClock } from '../../operator/kube/clock.ts';
import type { KubeClient } from '../../operator/kube/kube-client.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { eventually } from '../eventually.ts';
import { type Cluster, startCluster } from '../operator/kube/cluster.ts';
import { createHarness, type Harness, type Operator } from './fleet-harness.ts';
import { runtimeConfig } from './reports.ts';
import { createStubProxy } from './stub-proxy.ts';

describe('the channel, with tokens and Secrets of a real API server', () => {
  let cluster: Cluster;
  let controlPlane: ControlPlane;
  let client: KubeClient;
  let harness: Harness;
  let operator: Operator;

  beforeAll(async () => {
    cluster = await startCluster('understudy/fleet-test');
    ({ controlPlane, client } = cluster);
    for (const namespace of ['sales', 'support']) {
      await kubectl('create', 'namespace', namespace);
      await kubectl('create', 'serviceaccount', 'understudy-proxy', '-n', namespace);
      await kubectl('create', 'serviceaccount', 'intruder', '-n', namespace);
    }
  }, 180_000);
  afterAll(() => cluster.stop());

  beforeEach(async () => {
    harness = createHarness();
    const authenticate = createAuthenticateProxy({ client, serviceAccount: 'understudy-proxy', clock: systemClock });
    operator = await harness.operator({ authenticate });
    operator.fleet.publish('sales', runtimeConfig('of-sales'));
    operator.fleet.publish('support', runtimeConfig('of-support', { namespace: 'support' }));
  });
  afterEach(() => harness.close());

  async function kubectl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await controlPlane.kubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  }
  const tokenOf = (serviceAccount: string, namespace: string, audience = 'understudy') =>
    kubectl('create', 'token', serviceAccount, '-n', namespace, '--audience', audience);
  async function tokenOfPod(name: string): Promise<string> {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'sales' },
      spec: {
        serviceAccountName: 'understudy-proxy',
        automountServiceAccountToken: false,
        containers: [{ name: 'p', image: 'none' }],
      },
    };
    const { code, stderr } = await controlPlane.kubectl(['create', '-f', '-'], { stdin: JSON.stringify(pod) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const bound = ['--bound-object-kind', 'Pod', '--bound-object-name', name];
    return kubectl('create', 'token', 'understudy-proxy', '-n', 'sales', '--audience', 'understudy', ...bound);
  }
  const logged = () => harness.logs.join('');

  it('gives each proxy the config of the namespace that its token is of', async () => {
    const sales = createStubProxy('proxy-a');
    const support = createStubProxy('proxy-b');
    harness.client(sales, { url: operator.url, token: await tokenOf('understudy-proxy', 'sales') });
    harness.client(support, { url: operator.url, token: await tokenOf('understudy-proxy', 'support') });
    await eventually(() => expect([sales.applied, support.applied]).toEqual([['of-sales'], ['of-support']]));
    await eventually(() => expect(operator.fleet.reports('sales')).toMatchObject([{ report: { proxy: 'proxy-a' } }]));
    await eventually(() => expect(operator.fleet.reports('support')).toMatchObject([{ report: { proxy: 'proxy-b' } }]));
  });

  it.each([
    [
      'another namespace',
      'understudy-proxy',
      'support',
      'understudy',
      '403',
      'a token of namespace support was shown for another',
    ],
    ['another ServiceAccount', 'intruder', 'sales', 'understudy', '403', 'the token is of ServiceAccount sales/intruder'],
    ['another audience', 'understudy-proxy', 'sales', 'vault', '401', 'the API server refuses the token'],
    [
      'the API server itself',
      'understudy-proxy',
      'sales',
      'https://kubernetes.default.svc',
      '401',
      'the API server refuses the token',
    ],
  ])('refuses a token of %s', async (_sentence, serviceAccount, namespace, audience, status, reason) => {
    const proxy = createStubProxy();
    const token = await tokenOf(serviceAccount, namespace, audience);
    const fleetClient = harness.client(proxy, { url: operator.url, token, namespace: 'sales' });
    await eventually(() => expect(logged()).toContain(`the operator answered ${status}`));
    expect(logged()).toContain(reason);
    expect(logged()).not.toContain(token);
    expect(fleetClient.everConnected()).toBe(false);
    expect(proxy.applied).toEqual([]);
    expect(operator.fleet.reports('sales')).toEqual([]);
  });

  it('refuses the report of a pod that names another', async () => {
    const token = await tokenOfPod('proxy-a');
    const impostor = createStubProxy('proxy-b');
    harness.client(impostor, { url: operator.url, token });
    await eventually(() => expect(logged()).toContain('the token is of pod proxy-a, the report of another'));
    expect(operator.fleet.reports('sales')).toEqual([]);
  });

  it('ends the stream of a pod that is gone', async () => {
    // Reviews are repeated twenty times as often.
    const clock: Clock = {
      ...systemClock,
      monotonic: () => systemClock.monotonic() * 20,
      schedule: (callback, delayMs) => systemClock.schedule(callback, delayMs / 20),
    };
    const authenticate = createAuthenticateProxy({ client, serviceAccount: 'understudy-proxy', clock });
    const next = await harness.operator({ authenticate, clock });
    const proxy = createStubProxy('proxy-gone');
    const fleetClient = harness.client(proxy, { url: next.url, token: await tokenOfPod('proxy-gone') });
    await eventually(() => expect(fleetClient.connected()).toBe(true));
    await kubectl('delete', 'pod', 'proxy-gone', '-n', 'sales', '--force', '--grace-period=0');
    await eventually(() => expect(logged()).toContain('for its token is no longer good'), 60_000);
    await eventually(() => expect(logged()).toContain('the operator answered 401'));
    expect(fleetClient.connected()).toBe(false);
  }, 120_000);

  it('keeps its streams while the API server is away, and takes new proxies when it is back', async () => {
    const early = createStubProxy('proxy-a');
    const late = createStubProxy('proxy-b');
    const [earlyToken, lateToken] = [await tokenOf('understudy-proxy', 'sales'), await tokenOf('understudy-proxy', 'sales')];
    harness.client(early, { url: operator.url, token: earlyToken });
    await eventually(() => expect(early.applied).toEqual(['of-sales']));
    await controlPlane.killApiServer();
    harness.client(late, { url: operator.url, token: `${lateToken}` });
    await eventually(() => expect(logged()).toContain('the operator answered 503'));
    operator.fleet.publish('sales', runtimeConfig('while-away'));
    await eventually(() => expect(operator.fleet.reports('sales')).toMatchObject([{ report: { revision: 'while-away' } }]));
    await controlPlane.startApiServer();
    await eventually(() => expect(late.applied).toEqual(['while-away']), REFUSED_FOR_MS + 20_000);
    expect(logged().match(/connected to the operator/g)).toHaveLength(2);
  }, 120_000);

  it('keeps one CA in its Secret, whoever of two operators comes first', async () => {
    await kubectl('create', 'namespace', 'understudy-system');
    const create = () =>
      createCertificateAuthority({
        store: createSecretCaStore(client, 'understudy-system'),
        hosts: ['localhost'],
        clock: systemClock,
        logger: harness.logger,
      });
    const operators = [create(), create(), create()];
    await Promise.all(operators.map((one) => one.start()));
    const stored = await kubectl('get', 'secret', CA_SECRET_NAME, '-n', 'understudy-system', '-o', 'jsonpath={.data.ca\\.crt}');
    for (const one of operators) {
      expect(one.caBundle().trim()).toBe(Buffer.from(stored, 'base64').toString().trim());
      one.stop();
    }
    const store = createSecretCaStore(client, 'understudy-system');
    const { data, version } = (await store.read())!;
    expect(await store.create(data)).toBe('Conflict');
    expect(await store.replace({ ...data, note: 'first' }, version)).toBe('Done');
    expect(await store.replace({ ...data, note: 'second' }, version)).toBe('Conflict');
    expect((await store.read())!.data.note).toBe('first');
    expect(logged()).not.toContain('PRIVATE KEY');
  });
});
