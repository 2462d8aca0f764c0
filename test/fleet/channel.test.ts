import { writeFileSync } from 'node:fs';
import { REPORT_INTERVAL_MS } from '../../contract/fleet.ts';
import type { FleetNews } from '../../operator/fleet/fleet.ts';
import { eventually } from '../eventually.ts';
import { createHarness, type Harness } from './fleet-harness.ts';
import { at, failover, runtimeConfig, TARGET, targetReport } from './reports.ts';
import { createStubProxy } from './stub-proxy.ts';

describe('the channel between operator and proxies', () => {
  let harness: Harness;
  beforeEach(() => {
    harness = createHarness();
  });
  afterEach(() => harness.close());

  it('pushes a config, and hears which revision is served', async () => {
    const operator = await harness.operator();
    const proxy = createStubProxy();
    const client = harness.client(proxy, { url: operator.url });
    await eventually(() => expect(operator.fleet.reports('sales')).toHaveLength(1));
    expect(client.connected() && client.everConnected()).toBe(true);
    for (const revision of ['one', 'two', 'three']) {
      operator.fleet.publish('sales', runtimeConfig(revision));
      await eventually(() => expect(operator.fleet.reports('sales')).toMatchObject([{ report: { revision } }]));
    }
    expect(proxy.applied).toEqual(['one', 'two', 'three']);
    expect(await operator.metric('understudy_fleet_config_pushes_total')).toBe(3);
    expect(await operator.metric('understudy_fleet_connected_proxies')).toBe(1);
    expect(await operator.metric('understudy_fleet_push_to_ack_seconds_count')).toBe(3);
  });

  it('gives a proxy that comes later the newest config, and only that of its namespace', async () => {
    const operator = await harness.operator();
    operator.fleet.publish('sales', runtimeConfig('old'));
    operator.fleet.publish('sales', runtimeConfig('new'));
    operator.fleet.publish('support', runtimeConfig('other', { namespace: 'support' }));
    const sales = createStubProxy('proxy-a');
    const support = createStubProxy('proxy-b');
    harness.client(sales, { url: operator.url });
    harness.client(support, { url: operator.url, token: 'support:proxy-b' });
    await eventually(() => expect([sales.applied, support.applied]).toEqual([['new'], ['other']]));
    await eventually(() => expect(operator.fleet.reports('support')).toMatchObject([{ report: { proxy: 'proxy-b' } }]));
    expect(operator.fleet.reports('sales')).toMatchObject([{ report: { proxy: 'proxy-a' } }]);
  });

  it('hears of a refused revision, while the last good one is served', async () => {
    const operator = await harness.operator();
    const proxy = createStubProxy();
    harness.client(proxy, { url: operator.url });
    operator.fleet.publish('sales', runtimeConfig('good'));
    await eventually(() => expect(operator.fleet.reports('sales')).toMatchObject([{ report: { revision: 'good' } }]));
    operator.fleet.publish('sales', runtimeConfig('refuse-me'));
    await eventually(() =>
      expect(operator.fleet.reports('sales')).toMatchObject([
        { report: { revision: 'good', refused: { revision: 'refuse-me', message: 'it asked for it' } } },
      ]),
    );
    operator.fleet.publish('sales', runtimeConfig('better'));
    await eventually(() => expect(operator.fleet.reports('sales')[0]!.report.revision).toBe('better'));
    expect(operator.fleet.reports('sales')[0]!.report.refused).toBeUndefined();
  });

  it('refuses to publish what a proxy could not take', async () => {
    const operator = await harness.operator();
    expect(() => operator.fleet.publish('sales', { ...runtimeConfig('x'), version: 2 as never })).toThrow();
    const endpoint = { ...runtimeConfig('x').endpoints[0]!, failureDomain: 'x'.repeat(16 * 1024 * 1024) };
    expect(() => operator.fleet.publish('sales', runtimeConfig('x', { endpoints: [endpoint] }))).toThrow(
      expect.objectContaining({ code: 'FLEET_CONFIG_TOO_LARGE' }),
    );
  });

  it('carries news at once, and gives each proxy what the others know', async () => {
    const operator = await harness.operator();
    const heard: Array<[string, FleetNews]> = [];
    operator.fleet.onNews((namespace, news) => heard.push([namespace, news]));
    const first = createStubProxy('proxy-a');
    const second = createStubProxy('proxy-b');
    harness.client(first, { url: operator.url });
    harness.client(second, { url: operator.url, token: 'sales:proxy-b' });
    await eventually(() => expect(operator.fleet.reports('sales')).toHaveLength(2));
    heard.length = 0;
    first.state.targets = [targetReport({ health: 'Down', reason: 'ErrorRate' })];
    first.news();
    // Below the interval of reports: it is the news that carries it.
    await eventually(() => expect(heard).toContainEqual(['sales', 'transition']), REPORT_INTERVAL_MS - 1_000);
    second.news();
    await eventually(() => expect(second.views.at(-1)).toMatchObject({ proxies: 1, targets: [{ id: TARGET, health: 'Down' }] }));
  });

  it('repeats a failover until it is in the status, and then forgets it', async () => {
    const operator = await harness.operator();
    const proxy = createStubProxy();
    harness.client(proxy, { url: operator.url });
    proxy.state.failovers = [failover('1'), failover('2')];
    proxy.news();
    await eventually(() => expect(operator.fleet.reports('sales')[0]?.report.failovers).toHaveLength(2));
    operator.fleet.acknowledge('sales', [{ proxy: 'proxy-a', instance: 'a1', id: '1' }]);
    proxy.news();
    await eventually(() => expect(proxy.state.failovers).toEqual([failover('2')]));
    proxy.state.failovers = [failover('2', { returned: at(60) })];
    operator.fleet.acknowledge('sales', [{ proxy: 'proxy-a', instance: 'a1', id: '2' }]);
    proxy.news();
    await eventually(() => expect(operator.fleet.reports('sales')[0]?.report.failovers[0]?.returned).toBe(at(60)));
    expect(proxy.state.failovers).toHaveLength(1);
  });

  it('ends the streams of a namespace that is withdrawn', async () => {
    const operator = await harness.operator();
    operator.fleet.publish('sales', runtimeConfig('one'));
    const proxy = createStubProxy();
    harness.client(proxy, { url: operator.url });
    await eventually(() => expect(proxy.applied).toEqual(['one']));
    operator.fleet.withdraw('sales');
    expect(operator.fleet.reports('sales')).toEqual([]);
    await eventually(() => expect(harness.logs.join('')).toContain('the operator ended the config stream'));
    await eventually(() => expect(operator.fleet.reports('sales')).toHaveLength(1));
    expect(proxy.applied).toEqual(['one']);
  });

  it('comes back each of fifty times that it is cut, with every config', async () => {
    const operator = await harness.operator();
    const relay = await harness.relay(operator.port);
    const proxy = createStubProxy();
    harness.client(proxy, { url: relay.url });
    const published: string[] = [];
    for (let round = 1; round <= 50; round += 1) {
      const revision = `r${round}`;
      published.push(revision);
      operator.fleet.publish('sales', runtimeConfig(revision));
      await eventually(() => expect(operator.fleet.reports('sales')[0]?.report.revision).toBe(revision));
      relay.cut();
    }
    expect(proxy.applied).toEqual(published);
    await eventually(async () => expect(await operator.metric('understudy_fleet_connected_proxies')).toBe(1));
    // One for the stream, one for reports.
    await eventually(() => expect(relay.connections()).toBe(2));
  });

  it('does not apply again what it serves when it comes back', async () => {
    const operator = await harness.operator();
    operator.fleet.publish('sales', runtimeConfig('one'));
    const relay = await harness.relay(operator.port);
    const proxy = createStubProxy();
    harness.client(proxy, { url: relay.url });
    await eventually(() => expect(proxy.applied).toEqual(['one']));
    relay.cut();
    await eventually(async () => expect(await operator.metric('understudy_fleet_config_pushes_total')).toBe(2));
    operator.fleet.publish('sales', runtimeConfig('two'));
    await eventually(() => expect(proxy.applied).toEqual(['one', 'two']));
  });

  it('keeps a proxy serving while the operator is away, and finds the next operator on its own', async () => {
    const first = await harness.operator();
    first.fleet.publish('sales', runtimeConfig('one'));
    const proxy = createStubProxy();
    const client = harness.client(proxy, { url: first.url });
    await eventually(() => expect(first.fleet.reports('sales')[0]?.report.revision).toBe('one'));
    await first.stop();
    await eventually(() => expect(client.connected()).toBe(false));
    for (let index = 0; index < 1_000; index += 1) proxy.news();
    expect(proxy.report().revision).toBe('one');

    const second = await harness.operator({ port: first.port });
    await eventually(() => expect(second.fleet.reports('sales')[0]?.report.revision).toBe('one'));
    second.fleet.publish('sales', runtimeConfig('one'));
    second.fleet.publish('sales', runtimeConfig('two'));
    await eventually(() => expect(proxy.applied).toEqual(['one', 'two']));
    const mentions = harness.logs.filter((line) => line.includes('the operator is away'));
    expect(mentions.length).toBeLessThan(5);
  });

  it('shows a rotated token without a new start', async () => {
    const operator = await harness.operator();
    const proxy = createStubProxy();
    const client = harness.client(proxy, { url: operator.url, token: 'strangers:proxy-a' });
    await eventually(() => expect(harness.logs.join('')).toContain('the operator answered 403'));
    expect(client.everConnected()).toBe(false);
    writeFileSync(`${harness.directory}/token-1`, 'sales:proxy-a');
    await eventually(() => expect(client.connected()).toBe(true));
    expect(await operator.metric('understudy_fleet_refused_tokens_total')).toBeGreaterThan(0);
    expect(harness.logs.join('')).not.toContain('strangers:proxy-a');
  });

  it('does not give a proxy the config of a namespace that its token is not of', async () => {
    const operator = await harness.operator();
    operator.fleet.publish('sales', runtimeConfig('one'));
    const proxy = createStubProxy();
    harness.client(proxy, { url: operator.url, token: 'support:proxy-a', namespace: 'sales' });
    await eventually(() =>
      expect(harness.logs.join('')).toContain('a token of namespace support was shown for another namespace'),
    );
    expect(proxy.applied).toEqual([]);
  });
});
