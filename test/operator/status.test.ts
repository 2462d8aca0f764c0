import { eventually } from '../eventually.ts';
import { conditionOf, type OperatorHarness, type RunningOperator, startHarness } from './operator-harness.ts';
import { endpoint, namespace, route } from './resources.ts';

describe('the status of routes and endpoints, on a real API server', () => {
  let harness: OperatorHarness;
  let operator: RunningOperator;

  beforeAll(async () => {
    harness = await startHarness();
    operator = await harness.startOperator();
  }, 240_000);
  afterAll(() => harness?.stop(), 60_000);

  it('warns of each thing that is unwise or missing, by a condition', async () => {
    await harness.apply(
      namespace('warnings'),
      endpoint('warnings', 'alpha', { models: [{ name: 'm' }] }),
      endpoint('warnings', 'beta'),
    );
    await harness.apply(route('warnings', 'older', ['alpha/m', 'beta/m'], { models: ['shared', 'own'] }));
    // Creation times have whole seconds: the younger route has to be one of a later second.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await harness.apply(
      route('warnings', 'one-domain', ['alpha/m']),
      route('warnings', 'unlisted', ['alpha/other', 'beta/m']),
      route('warnings', 'younger', ['alpha/m', 'beta/m'], { models: ['shared', 'mine'] }),
      route('warnings', 'youngest', ['alpha/m', 'beta/m'], { models: ['shared'] }),
      route('warnings', 'no-endpoint', ['nowhere/m', 'beta/m']),
      route('warnings', 'no-region', ['alpha/m/mars', 'beta/m']),
      route('warnings', 'nothing-left', ['nowhere/m']),
    );
    const expected = {
      older: ['Accepted=True/Accepted', 'ResolvedRefs=True/ResolvedRefs', 'Programmed=False/NoProxies'],
      'one-domain': ['Accepted=True/SingleFailureDomain', 'ResolvedRefs=True/ResolvedRefs', 'Programmed=False/NoProxies'],
      unlisted: ['Accepted=True/ModelNotListed', 'ResolvedRefs=True/ResolvedRefs', 'Programmed=False/NoProxies'],
      younger: ['Accepted=True/ModelNameConflict', 'ResolvedRefs=True/ResolvedRefs', 'Programmed=False/NoProxies'],
      youngest: ['Accepted=False/ModelNameConflict', 'ResolvedRefs=True/ResolvedRefs', 'Programmed=False/NotServed'],
      'no-endpoint': ['Accepted=True/SingleFailureDomain', 'ResolvedRefs=False/EndpointNotFound', 'Programmed=False/NoProxies'],
      'no-region': ['Accepted=True/SingleFailureDomain', 'ResolvedRefs=False/RegionNotFound', 'Programmed=False/NoProxies'],
      'nothing-left': ['Accepted=True/Accepted', 'ResolvedRefs=False/EndpointNotFound', 'Programmed=False/NotServed'],
    };
    await eventually(async () => {
      for (const [name, conditions] of Object.entries(expected)) {
        const status = await harness.route('warnings', name);
        const shown = status.conditions?.map(({ type, status: is, reason }) => `${type}=${is}/${reason}`);
        expect({ name, shown: shown?.slice(0, 3) }).toEqual({ name, shown: conditions });
      }
    });
    expect(conditionOf(await harness.route('warnings', 'younger'), 'Accepted')?.message).toContain('older route "older"');
    const events = await harness.kubectl(['get', 'events', '-n', 'warnings', '-o', 'json']);
    const told = JSON.parse(events).items.map((event: { reason: string }) => event.reason);
    expect(told).toEqual(expect.arrayContaining(['ModelNotListed', 'EndpointNotFound', 'RegionNotFound', 'SingleFailureDomain']));
  });

  it('shows who answers, why and since when, before, during and after an outage', async () => {
    await harness.apply(
      namespace('outage'),
      endpoint('outage', 'alpha'),
      endpoint('outage', 'beta'),
      route('outage', 'chat', ['alpha/m', 'beta/m']),
    );
    const proxies = [
      await harness.startProxy('outage', 'proxy-0', operator),
      await harness.startProxy('outage', 'proxy-1', operator),
    ];
    const [alpha, beta] = ['alpha/one/m', 'beta/one/m'] as const;
    await eventually(async () => {
      expect(await harness.route('outage', 'chat')).toMatchObject({
        active: alpha,
        health: 'Healthy',
        reason: 'PrimaryHealthy',
        failovers: 0,
        proxies: { ready: 2, programmed: 2, summary: '2/2' },
        targets: [
          { target: alpha, position: 0, health: 'Healthy', share: 100 },
          { target: beta, position: 1, health: 'Healthy', share: 0 },
        ],
      });
    });
    const before = await harness.route('outage', 'chat');
    expect(conditionOf(before, 'Programmed')).toMatchObject({ status: 'True', reason: 'Programmed' });
    expect(conditionOf(before, 'Healthy')).toMatchObject({ status: 'True' });
    expect(conditionOf(before, 'FailedOver')).toMatchObject({ status: 'False', reason: 'PrimaryActive' });

    for (const proxy of proxies) {
      proxy.targetIs(alpha, 'Down', 'ConsecutiveFailures', '3 of 3 requests failed in 2s, last: 503');
      proxy.failOver(alpha, beta);
    }
    await eventually(async () => {
      const during = await harness.route('outage', 'chat');
      // Two replicas saw one outage: that is one failover.
      expect(during).toMatchObject({ active: beta, health: 'Healthy', reason: 'PrimaryDown', failovers: 1 });
      expect(during.lastFailover).toMatchObject({ from: alpha, to: beta, reason: 'ConsecutiveFailures', detectedIn: '2s' });
      expect(during.lastFailover?.lasted).toBeUndefined();
      expect(conditionOf(during, 'FailedOver')).toMatchObject({ status: 'True', reason: 'PrimaryDown' });
      expect(await harness.endpoint('outage', 'alpha')).toMatchObject({ health: 'Down', reason: 'ConsecutiveFailures' });
    });

    for (const proxy of proxies) {
      proxy.targetIs(alpha, 'Healthy', 'TrialSucceeded');
      proxy.comeBack(alpha);
    }
    await eventually(async () => {
      const after = await harness.route('outage', 'chat');
      expect(after).toMatchObject({ active: alpha, reason: 'PrimaryHealthy', failovers: 1 });
      expect(after.lastFailover?.lasted).toBeDefined();
      expect(conditionOf(after, 'FailedOver')).toMatchObject({ status: 'False' });
    });
    const described = await eventually(async () => {
      const text = await harness.kubectl(['describe', 'modelroute', 'chat', '-n', 'outage']);
      expect(text).toMatch(/Warning\s+FailedOver/);
      expect(text).toMatch(/Normal\s+Returned/);
      return text;
    });
    expect(described).toContain(`Traffic moved from ${alpha} to ${beta}`);
  });

  it('says of an endpoint what proxies find out about its key, and what nobody has found out', async () => {
    await harness.apply(
      namespace('keys'),
      endpoint('keys', 'alpha'),
      endpoint('keys', 'beta', { credentials: undefined }),
      endpoint('keys', 'unused'),
      route('keys', 'chat', ['alpha/m', 'beta/m']),
    );
    const proxy = await harness.startProxy('keys', 'proxy-0', operator);
    const credentials = async (name: string) => conditionOf(await harness.endpoint('keys', name), 'CredentialsResolved');
    await eventually(async () => {
      expect(await credentials('alpha')).toMatchObject({ status: 'True', reason: 'CredentialsResolved' });
      expect(await credentials('beta')).toMatchObject({ status: 'True', reason: 'NotRequired' });
      expect(await credentials('unused')).toMatchObject({ status: 'Unknown', reason: 'NoReport' });
      expect(await harness.endpoint('keys', 'unused')).toMatchObject({ health: 'Unknown' });
    });
    for (const [state, reason] of [
      ['Missing', 'SecretMissing'],
      ['Refused', 'Refused'],
      ['QuotaExhausted', 'QuotaExhausted'],
    ] as const) {
      proxy.credentialIs('alpha', state);
      await eventually(async () => expect(await credentials('alpha')).toMatchObject({ status: 'False', reason }));
    }
  });

  it('turns to Unknown when the proxies are gone, and keeps in sight who was active', async () => {
    await harness.apply(namespace('gone'), endpoint('gone', 'alpha'), route('gone', 'chat', ['alpha/m']));
    const proxy = await harness.startProxy('gone', 'proxy-0', operator);
    await eventually(async () => expect(await harness.route('gone', 'chat')).toMatchObject({ health: 'Healthy' }));
    await proxy.stop();
    await eventually(async () => {
      const status = await harness.route('gone', 'chat');
      expect(status).toMatchObject({ active: 'alpha/one/m', health: 'Unknown', reason: 'NoProxy', proxies: { ready: 0 } });
      expect(conditionOf(status, 'Healthy')).toMatchObject({ status: 'Unknown', reason: 'NoReport' });
      expect(conditionOf(status, 'Programmed')).toMatchObject({ status: 'False', reason: 'NoProxies' });
      expect(await harness.endpoint('gone', 'alpha')).toMatchObject({ health: 'Unknown' });
    });
  });

  it('tells that a proxy refused a revision, and what goes on', async () => {
    await harness.apply(namespace('refusal'), endpoint('refusal', 'alpha'), route('refusal', 'chat', ['alpha/m']));
    const proxy = await harness.startProxy('refusal', 'proxy-0', operator);
    await eventually(async () =>
      expect(conditionOf(await harness.route('refusal', 'chat'), 'Programmed')).toMatchObject({ status: 'True' }),
    );
    const [served] = proxy.stub.applied;
    proxy.stub.applyConfig = (config) => {
      const { revision } = config as { revision: string };
      proxy.stub.state = { ...proxy.stub.state, revision: served!, refused: { revision, message: 'it asked for it' } };
      throw new Error('refused');
    };
    await harness.apply(route('refusal', 'chat', ['alpha/m'], { retries: { maxAttempts: 2 } }));
    await eventually(async () => {
      const programmed = conditionOf(await harness.route('refusal', 'chat'), 'Programmed');
      expect(programmed).toMatchObject({ status: 'False', reason: 'Refused', observedGeneration: 2 });
      expect(programmed?.message).toContain('it asked for it');
    });
  });
});
