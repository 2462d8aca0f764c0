import { readFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { FLEET_PATHS, MAX_MESSAGE_BYTES } from '../../contract/fleet.ts';
import { SLOW_READER_CUT_AFTER_MS } from '../../operator/fleet/config-streams.ts';
import { type Clock, systemClock } from '../../operator/kube/clock.ts';
import { eventually } from '../eventually.ts';
import { createHarness, type Harness, type Operator } from './fleet-harness.ts';
import { proxyReport, runtimeConfig, targetReport } from './reports.ts';
import { createStubProxy } from './stub-proxy.ts';

/** About 4 MB in one message, so that a few fill every buffer between two ends. */
function largeConfig(revision: string) {
  const [endpoint] = runtimeConfig(revision).endpoints;
  return runtimeConfig(revision, { endpoints: [{ ...endpoint!, failureDomain: 'x'.repeat(4 * 1024 * 1024) }] });
}

describe('an operator, in front of proxies that misbehave', () => {
  let harness: Harness;
  let operator: Operator;
  /** Time limits of streams run forty times as fast. */
  const fastClock: Clock = { ...systemClock, schedule: (callback, delayMs) => systemClock.schedule(callback, delayMs / 40) };

  beforeEach(async () => {
    harness = createHarness();
    operator = await harness.operator({ clock: fastClock });
  });
  afterEach(async () => {
    // Whatever was done to it, it still serves.
    const proxy = createStubProxy('proxy-z');
    harness.client(proxy, { url: operator.url, token: 'last:proxy-z' });
    await eventually(() => expect(operator.fleet.reports('last')).toHaveLength(1));
    await harness.close();
  });

  function ask(
    options: RequestOptions,
    body?: string | Buffer,
  ): Promise<{ status: number; body: string; retryAfter?: string | undefined }> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: 'Bearer sales:proxy-a', ...(options.headers as Record<string, string>) };
      const sent = request(
        operator.url,
        { ca: readFileSync(harness.caFile), agent: false, ...options, headers },
        async (response) => {
          let text = '';
          for await (const chunk of response) text += chunk;
          resolve({ status: response.statusCode!, body: text, retryAfter: response.headers['retry-after'] });
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }
  const report = (body: string | Buffer, headers = {}) => ask({ method: 'POST', path: FLEET_PATHS.report, headers }, body);

  async function openSocket(): Promise<TLSSocket> {
    const socket = connect({ port: operator.port, host: '127.0.0.1', ca: readFileSync(harness.caFile) });
    socket.on('error', () => {});
    harness.onClose(() => socket.destroy());
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    return socket;
  }
  const readConfig = `GET ${FLEET_PATHS.config} HTTP/1.1\r\nhost: operator\r\nauthorization: Bearer sales:proxy-a\r\n\r\n`;

  it.each([
    ['GET', '/', 404],
    ['GET', FLEET_PATHS.report, 404],
    ['POST', FLEET_PATHS.config, 404],
    ['GET', `${FLEET_PATHS.config}/..`, 404],
    ['DELETE', FLEET_PATHS.config, 404],
  ])('answers %s %s with %d', async (method, path, status) => {
    expect(await ask({ method, path })).toMatchObject({ status, body: expect.stringContaining('there is only') });
  });

  it.each([
    ['', 401, 'no token'],
    ['Bearer strangers:proxy-a', 403, 'no proxy'],
  ])('refuses the token %p with %d and the reason', async (authorization, status, reason) => {
    const answer = await report(JSON.stringify(proxyReport()), { authorization });
    expect(answer.status).toBe(status);
    expect(answer.body).toMatch(reason);
    expect(operator.fleet.reports('sales')).toEqual([]);
  });

  it.each([
    ['no JSON', '{"proxy":', 'the report is no JSON'],
    ['nothing', '', 'the report is no JSON'],
    ['a list', '[]', 'report: '],
    ['a wrong number', JSON.stringify({ ...proxyReport(), targets: [{ attempts: -1 }] }), 'targets.0.'],
    ['a field that is missing', JSON.stringify({ ...proxyReport(), instance: undefined }), 'instance: '],
    ['a field too many', JSON.stringify({ ...proxyReport(), apiKey: 'sk-secret' }), 'apiKey'],
  ])('answers a report that is %s with the field that is wrong', async (_sentence, body, named) => {
    const answer = await report(body);
    expect(answer.status).toBe(400);
    expect(answer.body).toContain(named);
    expect(answer.body + harness.logs.join('')).not.toContain('sk-secret');
    expect(operator.fleet.reports('sales')).toEqual([]);
  });

  it('does not let a pod report as another', async () => {
    const answer = await report(JSON.stringify(proxyReport({ proxy: 'proxy-b' })));
    expect(answer).toMatchObject({ status: 403, body: expect.stringContaining('the token is of pod proxy-a') });
    expect(operator.fleet.reports('sales')).toEqual([]);
  });

  it('refuses a report that is too large, whether it says so or not', async () => {
    const announced = await openSocket();
    const head = `POST ${FLEET_PATHS.report} HTTP/1.1\r\nhost: operator\r\nauthorization: Bearer sales:proxy-a\r\n`;
    announced.write(`${head}content-length: ${MAX_MESSAGE_BYTES + 1}\r\n\r\n`);
    expect(await firstLine(announced)).toBe('HTTP/1.1 413 Payload Too Large');

    const unannounced = await openSocket();
    const answer = firstLine(unannounced);
    unannounced.write(`${head}transfer-encoding: chunked\r\n\r\n`);
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    for (let sent = 0; sent <= MAX_MESSAGE_BYTES && !unannounced.destroyed; sent += chunk.length) {
      unannounced.write(`${chunk.length.toString(16)}\r\n`);
      unannounced.write(chunk);
      unannounced.write('\r\n');
    }
    expect(await answer).toBe('HTTP/1.1 413 Payload Too Large');
  });

  it('takes longer reports from a namespace with a longer config', async () => {
    const evidence = 'x'.repeat(1_024);
    const long = JSON.stringify(
      proxyReport({ targets: Array.from({ length: 1_000 }, (_, index) => targetReport({ id: `a/b/${index}`, evidence })) }),
    );
    expect(await report(long)).toMatchObject({ status: 413, body: expect.stringContaining('of this namespace') });
    expect(operator.fleet.reports('sales')).toEqual([]);
    const regions = Array.from({ length: 1_000 }, (_, index) => ({ name: `r${index}`, baseURL: `https://r${index}.example/v1` }));
    const [endpoint] = runtimeConfig('wide').endpoints;
    operator.fleet.publish('sales', runtimeConfig('wide', { endpoints: [{ ...endpoint!, regions }] }));
    expect((await report(long)).status).toBe(200);
  });

  it('forgets a report that breaks off', async () => {
    const socket = await openSocket();
    const body = JSON.stringify(proxyReport());
    socket.write(`POST ${FLEET_PATHS.report} HTTP/1.1\r\nhost: operator\r\nauthorization: Bearer sales:proxy-a\r\n`);
    socket.write(`content-length: ${body.length + 1}\r\n\r\n${body}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await eventually(async () => expect(await operator.metric('understudy_fleet_refused_reports_total')).toBe(1));
    expect(operator.fleet.reports('sales')).toEqual([]);
  });

  it('refuses a head that is too long', async () => {
    const answer = await ask({ path: FLEET_PATHS.config, headers: { 'x-long': 'x'.repeat(20_000) } });
    expect(answer.status).toBe(431);
  });

  it('closes a connection that does not come to the end of its head', async () => {
    const socket = await openSocket();
    const closed = new Promise<boolean>((resolve) => socket.once('close', () => resolve(true)));
    const line = firstLine(socket);
    socket.write('GET / HTTP/1.1\r\nx: ');
    const drip = setInterval(() => socket.write('y'), 200);
    harness.onClose(() => clearInterval(drip));
    expect(await line).toBe('HTTP/1.1 408 Request Timeout');
    expect(await closed).toBe(true);
    clearInterval(drip);
  }, 60_000);

  it('cuts a proxy that does not read, while the others get every config', async () => {
    const good = createStubProxy('proxy-b');
    harness.client(good, { url: operator.url, token: 'sales:proxy-b' });
    await eventually(() => expect(operator.fleet.reports('sales')).toHaveLength(1));
    const slow = await openSocket();
    slow.write(readConfig);
    slow.pause();
    await eventually(async () => expect(await operator.metric('understudy_fleet_connected_proxies')).toBe(2));
    for (let round = 1; round <= 5; round += 1) {
      operator.fleet.publish('sales', largeConfig(`r${round}`));
      await eventually(() => expect(good.applied.at(-1)).toBe(`r${round}`));
    }
    await eventually(async () => expect(await operator.metric('understudy_fleet_slow_readers_cut_total')).toBe(1));
    expect(await operator.metric('understudy_fleet_connected_proxies')).toBe(1);
    expect(SLOW_READER_CUT_AFTER_MS).toBeLessThanOrEqual(30_000);
  });

  it('gives a proxy that reads again the newest config only', async () => {
    const patient = await harness.operator();
    operator = patient;
    const slow = await openSocket();
    slow.write(readConfig);
    await eventually(async () => expect(await patient.metric('understudy_fleet_connected_proxies')).toBe(1));
    slow.pause();
    for (let round = 1; round <= 8; round += 1) {
      patient.fleet.publish('sales', largeConfig(`r${round}`));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    let read = '';
    slow.on('data', (bytes) => {
      read += bytes;
    });
    slow.resume();
    const revisions = () => [...read.matchAll(/"revision":"(r\d)"/g)].map(([, revision]) => revision);
    await eventually(() => expect(revisions().at(-1)).toBe('r8'));
    expect(revisions().length).toBeLessThan(8);
    expect(await patient.metric('understudy_fleet_slow_readers_cut_total')).toBe(0);
  });
});

function firstLine(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes;
      if (text.includes('\r\n')) resolve(text.slice(0, text.indexOf('\r\n')));
    });
    socket.once('close', () => resolve(text || 'closed'));
  });
}
