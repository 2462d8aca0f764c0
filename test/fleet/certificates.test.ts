import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { CA_LIFETIME_MS, CA_OVERLAP_MS } from '../../operator/fleet/ca-state.ts';
import { SERVING_LIFETIME_MS } from '../../operator/fleet/certificate-authority.ts';
import { type Clock, systemClock } from '../../operator/kube/clock.ts';
import { eventually } from '../eventually.ts';
import { createHarness, type Harness, readableTokens } from './fleet-harness.ts';
import { runtimeConfig } from './reports.ts';
import { createStubProxy } from './stub-proxy.ts';

const HOUR = 60 * 60_000;

/** A wall clock that begins in the past, so that certificates grow old by moving it up to today: the TLS of both ends looks at the real time. */
function agingClock(behindMs: number): Clock & { setBehind(milliseconds: number): void } {
  let behind = behindMs;
  return {
    ...systemClock,
    now: () => Date.now() - behind,
    setBehind(milliseconds) {
      behind = milliseconds;
    },
  };
}

function presentedCertificate(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('certificates of the channel', () => {
  let harness: Harness;
  beforeEach(() => {
    harness = createHarness();
  });
  afterEach(() => harness.close());

  it('renews the serving certificate without dropping a stream', async () => {
    const clock = agingClock((SERVING_LIFETIME_MS * 2) / 3 + 24 * HOUR);
    const operator = await harness.operator({ clock });
    const proxy = createStubProxy();
    harness.client(proxy, { url: operator.url });
    operator.fleet.publish('sales', runtimeConfig('one'));
    await eventually(() => expect(proxy.applied).toEqual(['one']));
    const before = await presentedCertificate(operator.port);
    clock.setBehind(0);
    await operator.authority.check();
    expect(await presentedCertificate(operator.port)).not.toBe(before);
    operator.fleet.publish('sales', runtimeConfig('two'));
    await eventually(() => expect(operator.fleet.reports('sales')[0]?.report.revision).toBe('two'));
    expect(harness.logs.filter((line) => line.includes('connected to the operator'))).toHaveLength(1);
    const late = createStubProxy('proxy-b');
    harness.client(late, { url: operator.url, token: 'sales:proxy-b' });
    await eventually(() => expect(late.applied).toEqual(['two']));
  });

  it('changes the CA under proxies that read their bundle in time, and takes back one that reads it late', async () => {
    const clock = agingClock((CA_LIFETIME_MS * 2) / 3 + CA_OVERLAP_MS + HOUR);
    const operator = await harness.operator({ clock });
    // An hour before the change begins: a serving certificate of that time is still good today.
    clock.setBehind(CA_OVERLAP_MS + 2 * HOUR);
    await operator.authority.check();
    const lateFile = `${harness.directory}/late.crt`;
    writeFileSync(lateFile, readFileSync(harness.caFile));
    operator.authority.onChange(() => writeFileSync(harness.caFile, operator.authority.caBundle()));
    const relay = await harness.relay(operator.port);
    const proxy = createStubProxy('proxy-a');
    const late = createStubProxy('proxy-b');
    harness.client(proxy, { url: relay.url });
    const lateClient = harness.client(late, { url: relay.url, token: 'sales:proxy-b', caFile: lateFile });
    await eventually(() => expect(operator.fleet.reports('sales')).toHaveLength(2));

    clock.setBehind(CA_OVERLAP_MS + HOUR / 2);
    await operator.authority.check();
    relay.cut();
    operator.fleet.publish('sales', runtimeConfig('announced'));
    await eventually(() => expect([proxy.applied, late.applied]).toEqual([['announced'], ['announced']]));

    clock.setBehind(0);
    await operator.authority.check();
    relay.cut();
    operator.fleet.publish('sales', runtimeConfig('switched'));
    await eventually(() => expect(proxy.applied).toEqual(['announced', 'switched']));
    await eventually(() => expect(harness.logs.join('')).toContain('FLEET_UNTRUSTED'));
    expect(lateClient.connected()).toBe(false);
    expect(late.applied).toEqual(['announced']);

    writeFileSync(lateFile, operator.authority.caBundle());
    await eventually(() => expect(late.applied).toEqual(['announced', 'switched']));
    await eventually(() =>
      expect(operator.fleet.reports('sales').map(({ report }) => report.revision)).toEqual(['switched', 'switched']),
    );
  });

  it('never shows a token to a server that the CA does not vouch for', async () => {
    const impostor = createHarness();
    harness.onClose(() => impostor.close());
    const tokens: Array<string | undefined> = [];
    const theirs = await impostor.operator({
      authenticate: (authorization) => {
        tokens.push(authorization);
        return readableTokens(authorization);
      },
    });
    await harness.operator();
    const client = harness.client(createStubProxy(), { url: theirs.url });
    await eventually(() => expect(harness.logs.join('')).toContain('FLEET_UNTRUSTED'));
    expect(client.everConnected()).toBe(false);
    expect(tokens).toEqual([]);
  });
});
