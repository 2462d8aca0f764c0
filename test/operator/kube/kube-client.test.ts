import { applyIfChanged } from '../../../operator/kube/apply-if-changed.ts';
import { connectToCluster } from '../../../operator/kube/connect-to-cluster.ts';
import { createKubeClient } from '../../../operator/kube/create-kube-client.ts';
import type { KubeObject } from '../../../operator/kube/kube-object.ts';
import { RESOURCES } from '../../../operator/kube/resources.ts';
import { type AuditEvent, isWrite } from '../../control-plane/audit-log.ts';
import { type Cluster, startCluster } from './cluster.ts';

const USER_AGENT = 'client-under-test';

describe('the client on a real API server', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster(USER_AGENT);
  }, 180_000);
  afterAll(() => cluster?.stop());

  const named = (name: string) => ({ namespace: 'default', name });
  const configMap = (name: string, data: Record<string, string>): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...named(name), labels: { part: 'test' } },
    data,
  });
  /** What this client asked for since `before`, as the API server saw it. */
  const asked = (before: number): AuditEvent[] =>
    cluster.controlPlane
      .auditLog()
      .slice(before)
      .filter(({ userAgent }) => userAgent === USER_AGENT);
  const mark = () => cluster.controlPlane.auditLog().length;

  function deployment(image: string, args: string[] | undefined): KubeObject {
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { ...named('proxy'), labels: { app: 'proxy' } },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'proxy' } },
        template: {
          metadata: { labels: { app: 'proxy' } },
          spec: {
            containers: [
              {
                name: 'proxy',
                image,
                args,
                ports: [{ name: 'http', containerPort: 8080 }],
                env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
                readinessProbe: { httpGet: { path: '/readyz', port: 'http' } },
                volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
              },
            ],
            volumes: [{ name: 'tmp', emptyDir: {} }],
          },
        },
      },
    };
  }

  it('creates, reads, updates and deletes', async () => {
    const { client } = cluster;
    const created = await client.create(configMap('basic', { a: '1' }));
    expect(await client.get(RESOURCES.ConfigMap, named('basic'))).toMatchObject({ data: { a: '1' } });
    expect(await client.get(RESOURCES.ConfigMap, named('absent'))).toBeUndefined();
    expect(await client.list(RESOURCES.ConfigMap, { namespace: 'default', labelSelector: 'part=test' })).toMatchObject([
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'basic' } },
    ]);
    await client.update({ ...created, data: { a: '2' } });
    await expect(client.update({ ...created, data: { a: '3' } })).rejects.toMatchObject({
      code: 'Conflict',
      status: 409,
      retryable: true,
    });
    await expect(client.create(configMap('basic', {}))).rejects.toMatchObject({ code: 'AlreadyExists', retryable: false });
    await expect(client.delete(RESOURCES.ConfigMap, named('basic'), { uid: 'of-another' })).rejects.toMatchObject({
      code: 'Conflict',
    });
    expect(await client.delete(RESOURCES.ConfigMap, named('basic'), { uid: created.metadata.uid! })).toBe('Deleted');
    expect(await client.delete(RESOURCES.ConfigMap, named('basic'))).toBe('NotFound');
  });

  it('refuses a field that the API server does not know, instead of losing it', async () => {
    const wrong = { ...configMap('typo', {}), dta: { a: '1' } };
    await expect(cluster.client.apply(wrong)).rejects.toMatchObject({
      retryable: false,
      message: expect.stringContaining('dta'),
    });
  });

  it('applies once, and asks for nothing more while nothing differs', async () => {
    const { client } = cluster;
    const before = mark();
    const first = await applyIfChanged(client, undefined, deployment('x:1', ['proxy']));
    expect(first.outcome).toBe('Created');
    for (let i = 0; i < 3; i += 1) {
      const live = await client.get(RESOURCES.Deployment, named('proxy'));
      expect((await applyIfChanged(client, live, deployment('x:1', ['proxy']))).outcome).toBe('Unchanged');
    }
    expect(asked(before).filter(isWrite)).toMatchObject([
      { verb: 'patch', objectRef: { resource: 'deployments', name: 'proxy' } },
    ]);
  });

  it('repairs drift, and leaves alone what others added beside', async () => {
    const { client, controlPlane } = cluster;
    const desired = deployment('x:1', ['proxy']);
    await applyIfChanged(client, undefined, desired);
    await controlPlane.kubectl(['set', 'image', 'deployment/proxy', 'proxy=x:evil']);
    await controlPlane.kubectl(['label', 'deployment/proxy', 'team=sales']);
    const drifted = await client.get(RESOURCES.Deployment, named('proxy'));
    const repaired = await applyIfChanged(client, drifted, desired);
    expect(repaired.outcome).toBe('Updated');
    expect(JSON.stringify(repaired.object.spec)).toContain('"image":"x:1"');
    expect(repaired.object.metadata.labels).toEqual({ app: 'proxy', team: 'sales' });
    expect((await applyIfChanged(client, repaired.object, desired)).outcome).toBe('Unchanged');
  });

  it('removes a field that is no longer wanted', async () => {
    const { client } = cluster;
    const { object } = await applyIfChanged(client, undefined, deployment('x:1', ['proxy']));
    expect(JSON.stringify(object.spec)).toContain('"args"');
    const { outcome, object: after } = await applyIfChanged(client, object, deployment('x:1', undefined));
    expect(outcome).toBe('Updated');
    expect(JSON.stringify(after.spec)).not.toContain('"args"');
  });

  it('applies a status without touching the spec, and never makes an object by it', async () => {
    const { client } = cluster;
    const pod: KubeObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: named('pod'),
      spec: { automountServiceAccountToken: false, containers: [{ name: 'a', image: 'x' }] },
    };
    const created = await client.create(pod);
    const status = { ...(created.status as object), message: 'on stage' };
    const object = await client.applyStatus({ ...created, status });
    expect(object).toMatchObject({ status: { message: 'on stage' }, spec: { containers: [{ name: 'a' }] } });
    await client.delete(RESOURCES.Pod, named('pod'));
    await expect(client.applyStatus({ ...object, metadata: { ...object.metadata, name: 'absent' } })).rejects.toMatchObject({
      code: expect.stringMatching(/NotFound|Conflict/),
    });
    expect(await client.get(RESOURCES.Pod, named('absent'))).toBeUndefined();
  });

  it('tells who is behind a token, and refuses one that was made for another audience', async () => {
    const { client, controlPlane } = cluster;
    await controlPlane.kubectl(['create', 'serviceaccount', 'proxy']);
    const tokenFor = async (...args: string[]) =>
      (await controlPlane.kubectl(['create', 'token', 'proxy', ...args])).stdout.trim();
    await client.create<KubeObject>({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: named('proxy-0'),
      spec: { serviceAccountName: 'proxy', automountServiceAccountToken: false, containers: [{ name: 'a', image: 'x' }] },
    });
    const bound = await tokenFor('--audience=understudy', '--bound-object-kind=Pod', '--bound-object-name=proxy-0');
    expect(await client.reviewToken(bound, ['understudy'])).toMatchObject({
      authenticated: true,
      username: 'system:serviceaccount:default:proxy',
      groups: expect.arrayContaining(['system:serviceaccounts:default']),
      audiences: ['understudy'],
      serviceAccount: { namespace: 'default', name: 'proxy' },
      pod: { name: 'proxy-0' },
    });
    for (const token of [await tokenFor(), await tokenFor('--audience=vault'), 'no-token']) {
      const review = await client.reviewToken(token, ['understudy']);
      expect(review.authenticated).toBe(false);
      expect(JSON.stringify(review)).not.toContain(token);
    }
  });

  it('says what is refused, as an error with a code', async () => {
    const kubeconfig = await cluster.controlPlane.kubeconfigFor({ user: 'stranger', groups: ['visitors'] });
    const transport = connectToCluster({ kubeconfig, userAgent: 'stranger' });
    await expect(createKubeClient(transport).list(RESOURCES.Secret)).rejects.toMatchObject({
      code: 'Forbidden',
      status: 403,
      message: expect.stringContaining('GET /api/v1/secrets: secrets is forbidden: User "stranger" cannot list'),
    });
    await transport.close();
    const impostor = await cluster.controlPlane.kubeconfigFor({ token: 'made-up' });
    const unknown = connectToCluster({ kubeconfig: impostor, userAgent: 'impostor' });
    await expect(createKubeClient(unknown).list(RESOURCES.Secret)).rejects.toMatchObject({ code: 'Unauthorized' });
    await unknown.close();
  });

  it('uses few connections for many calls', async () => {
    // Each connection begins with a TLS handshake of some milliseconds: a client that makes one a call is slow, and leaks sockets.
    const { client } = cluster;
    const before = process.getActiveResourcesInfo().filter((name) => name === 'TLSSocketWrap' || name === 'TCPSocketWrap').length;
    for (let i = 0; i < 50; i += 1) await client.get(RESOURCES.ConfigMap, named('absent'));
    const after = process.getActiveResourcesInfo().filter((name) => name === 'TLSSocketWrap' || name === 'TCPSocketWrap').length;
    expect(after - before).toBeLessThan(3);
  });
});
