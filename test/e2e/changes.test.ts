import { createHash } from 'node:crypto';
import { APIError } from 'openai';
import { isWrite } from '../control-plane/audit-log.ts';
import { ask } from '../lab/ask.ts';
import { FAULTS } from '../lab/faults.ts';
import { createLab, type Lab } from '../lab/lab.ts';
import { conditionOf } from '../operator/operator-harness.ts';
import { type Cluster, eventually, SYSTEM, startCluster } from './cluster.ts';
import { everythingReadable, findKeys } from './find-keys.ts';
import { MODEL, PRIMARY, secret, stageOf } from './resources.ts';
import { APPLICATION_KEY, createClient, type SteadyLoad, startLoad } from './steady-load.ts';

const OPERATOR = 'system:serviceaccount:understudy-system:understudy-operator';
const CHANGES = 100;
/** Apart enough that each of them is a config of its own. */
const CHANGE_INTERVAL_MS = 150;
const QUIET_MS = 15_000;

const key = (of: string) => `sk-${of}-${createHash('sha256').update(of).digest('hex').slice(0, 24)}`;
const KEYS = { primary: key('primary'), standby: key('standby'), rotated: key('rotated'), moved: key('moved') };

describe('whatever changes while requests are running, none of them fails', () => {
  const labs = { primary: createLab({ name: 'primary' }), standby: createLab({ name: 'standby' }) };
  let cluster: Cluster;
  let load: SteadyLoad;

  beforeAll(async () => {
    await Promise.all([labs.primary.start(), labs.standby.start()]);
    cluster = await startCluster();
    await cluster.install();
    for (const namespace of ['sales', 'support']) {
      await cluster.kubectl(['create', 'namespace', namespace]);
      await cluster.apply(
        secret(namespace, 'primary', KEYS.primary),
        secret(namespace, 'standby', KEYS.standby),
        ...stageOf(namespace, { primary: labs.primary.baseURL, standby: labs.standby.baseURL }),
      );
    }
    // Whether a stream is whole shows only when it takes its time.
    await labs.primary.setFault({ kind: 'drip', everyMs: 100 }, { only: 'stream' });
    await isProgrammed('support');
    await isProgrammed('sales');
    load = startLoad({ baseURL: cluster.baseURL('sales'), model: MODEL, everyMs: 250 });
  }, 240_000);
  afterAll(async () => {
    await load?.stop();
    await cluster?.stop();
    await Promise.all([labs.primary.stop(), labs.standby.stop()]);
  }, 60_000);

  const isProgrammed = (namespace: string) =>
    eventually(async () => {
      const object = JSON.parse(await cluster.kubectl(['get', 'modelroute', 'proposals', '-n', namespace, '-o', 'json']));
      expect(object.status?.proxies).toMatchObject({ ready: 2, programmed: 2 });
      const { generation } = object.metadata;
      expect(conditionOf(object.status, 'Programmed')).toMatchObject({ status: 'True', observedGeneration: generation });
    });
  const expectNoFailure = async () => {
    await load.more(4);
    expect(load.report().failures).toEqual([]);
  };
  const settlesOn = (names: readonly string[]) =>
    eventually(async () => {
      const present = await cluster.kubectl(['get', 'pods', '-n', 'sales', '-o', 'jsonpath={.items[*].metadata.name}']);
      expect(present.split(' ')).toHaveLength(2);
      for (const name of names) expect(present).not.toContain(name);
    });
  const keysSince = ({ requests }: Lab, since: number) =>
    new Set(requests.filter(({ time }) => time > since).map(({ key: used }) => used));

  it('config, a hundred times', async () => {
    for (let change = 1; change <= CHANGES; change += 1) {
      const spec = { timeouts: { total: `${60_000 + change}ms` } };
      const patch = ['patch', 'modelroute', 'proposals', '-n', 'sales', '--type=merge', '-p', JSON.stringify({ spec })];
      await cluster.kubectl(patch);
      await new Promise((resolve) => setTimeout(resolve, CHANGE_INTERVAL_MS));
    }
    await isProgrammed('sales');
    for (const { pod } of cluster.pods('sales')) {
      const log = cluster.logs().get(`sales_${pod.metadata.name}.log`) ?? '';
      // Changes that come together may be one config; most come alone.
      expect(log.split('serving a config from the operator').length - 1).toBeGreaterThan(CHANGES / 2);
      expect(pod.metadata.deletionTimestamp).toBeUndefined();
    }
    await expectNoFailure();
  }, 150_000);

  it('a key, rotated in its Secret', async () => {
    await cluster.apply(secret('sales', 'primary', KEYS.rotated));
    await labs.primary.waitForRequest((request) => request.key === KEYS.rotated, 60_000);
    await eventually(async () => {
      const since = Date.now();
      await load.more(8);
      expect([...keysSince(labs.primary, since)]).toEqual([KEYS.rotated]);
    });
    await expectNoFailure();
    expect(load.report().targets).toEqual({ [PRIMARY]: expect.any(Number) });
  }, 90_000);

  it('the Secret that an endpoint names, for which all proxies are started anew', async () => {
    const before = cluster.pods('sales').map(({ pod }) => pod.metadata.name);
    await cluster.apply(secret('sales', 'moved', KEYS.moved));
    const spec = { credentials: { secretRef: { name: 'moved' } } };
    await cluster.kubectl([
      'patch',
      'providerendpoint',
      'primary',
      '-n',
      'sales',
      '--type=merge',
      '-p',
      JSON.stringify({ spec }),
    ]);
    await settlesOn(before);
    await isProgrammed('sales');
    const since = Date.now();
    await load.more(8);
    expect([...keysSince(labs.primary, since)]).toEqual([KEYS.moved]);
    await expectNoFailure();
    // Proxies that do not have the new Secret yet go on with the former one: nobody had to stand in.
    expect(load.report().targets).toEqual({ [PRIMARY]: expect.any(Number) });
  }, 150_000);

  it('no key is in a log line, an object, an event, a metric or an error, whatever providers say', async () => {
    await load.stop();
    expect(load.report().failures).toEqual([]);
    const client = createClient(cluster.baseURL('sales'));
    const errors: string[] = [];
    const play = async (fault: 'invalid-key' | 'forbidden' | 'status-500') => {
      await Promise.all([labs.primary.setFault(FAULTS[fault].fault), labs.standby.setFault(FAULTS[fault].fault)]);
      for (const stream of [false, true]) {
        const { error } = await ask(client, { model: MODEL, stream });
        expect(error).toBeInstanceOf(APIError);
        errors.push(JSON.stringify(error), String(error), JSON.stringify([...((error as APIError).headers ?? [])]));
      }
    };
    await play('status-500');
    // Both name the key that they refuse.
    await play('invalid-key');
    await play('forbidden');
    await eventually(async () => {
      const refused = conditionOf(await cluster.endpoint('sales', 'primary'), 'CredentialsResolved');
      expect(refused).toMatchObject({ status: 'False', reason: 'Refused' });
    });
    const texts = await everythingReadable(cluster, ['sales', 'support', SYSTEM]);
    texts.set('errors that applications saw', errors.join('\n'));
    expect(findKeys(texts, [...Object.values(KEYS), APPLICATION_KEY])).toEqual([]);
    // That this would find one.
    expect(texts.get('errors that applications saw')).not.toBe('');
    const secrets = await cluster.kubectl(['get', 'secrets', '-n', 'sales', '-o', 'yaml']);
    expect(findKeys(new Map([['secrets', secrets]]), [KEYS.moved])).toHaveLength(1);
    for (const place of ['objects', 'audit log', ...cluster.logs().keys()].map(
      (name) => texts.get(name) ?? texts.get(`log ${name}`),
    )) {
      expect(place?.length).toBeGreaterThan(100);
    }
    await Promise.all([labs.primary.setFault(undefined), labs.standby.setFault(undefined)]);
  }, 90_000);

  it('tells a proxy nothing about another namespace', async () => {
    const leader = await cluster.leader();
    const token = (
      await cluster.kubectl(['create', 'token', 'understudy-proxy', '-n', 'support', '--audience=understudy'])
    ).trim();
    const asked = await cluster.askFleet(leader, token, 'sales');
    expect(asked).toMatchObject({ status: 403 });
    expect(asked.body).toContain('namespace support was shown for another namespace');
    // The same token, for its own namespace.
    const own = await cluster.askFleet(leader, token, 'support');
    expect(own).toMatchObject({ status: 200 });
    expect(JSON.parse(own.body)).toMatchObject({ type: 'config', config: { namespace: 'support' } });
    // A token that is not meant for the operator.
    const other = (await cluster.kubectl(['create', 'token', 'understudy-proxy', '-n', 'support'])).trim();
    expect(await cluster.askFleet(leader, other, 'support')).toMatchObject({ status: 401 });
  });

  it('costs the API server no write when nothing changes, however often everything is looked at again', async () => {
    const resync = ['set', 'env', 'deployment/understudy-operator', '-n', SYSTEM, 'UNDERSTUDY_RESYNC_INTERVAL=2s'];
    await cluster.kubectl(resync);
    const rolledOut =
      '{.status.observedGeneration}/{.metadata.generation} {.status.updatedReplicas}/{.status.replicas} {.status.availableReplicas}';
    const deployment = ['get', 'deployment/understudy-operator', '-n', SYSTEM, '-o', `jsonpath=${rolledOut}`];
    await eventually(async () => expect(await cluster.kubectl(deployment)).toMatch(/^(\d+)\/\1 2\/2 2$/));
    await isProgrammed('sales');
    const writes = (since: number) =>
      cluster.controlPlane
        .auditLog()
        .filter((event) => isWrite(event) && event.user.username === OPERATOR)
        .filter((event) => Date.parse(event.requestReceivedTimestamp) >= since)
        // Its Lease says that it lives, and a review of a token stores nothing.
        .filter(({ objectRef }) => !['leases', 'tokenreviews'].includes(objectRef?.resource ?? ''))
        .map(({ verb, requestURI, requestReceivedTimestamp }) => `${requestReceivedTimestamp} ${verb} ${requestURI}`);
    await eventually(() => expect(writes(Date.now() - QUIET_MS)).toEqual([]));
    expect(writes(0).length).toBeGreaterThan(0);
    const leader = await cluster.leader();
    expect(cluster.logs().get(`${SYSTEM}_${leader.pod.metadata.name}.log`)).toContain('started leading');
  }, 150_000);
});
