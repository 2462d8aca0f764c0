import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { FLEET_PATHS, MAX_MESSAGE_BYTES } from '../../contract/fleet.ts';
import { createCertificateAuthority } from '../../operator/fleet/certificate-authority.ts';
import { systemClock } from '../../operator/kube/clock.ts';
import { eventually } from '../eventually.ts';
import { createHarness, type Harness } from './fleet-harness.ts';
import { at, proxyReport, runtimeConfig, TARGET } from './reports.ts';
import { createStubProxy } from './stub-proxy.ts';

type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => void;

const goodConfig = `${JSON.stringify({ type: 'config', config: runtimeConfig('good') })}\n`;
const goodAnswer = JSON.stringify({ view: { time: at(0), proxies: 0, targets: [] }, acknowledged: [] });
const behave: Misbehaviour = (request, response) => {
  if (request.url?.startsWith(FLEET_PATHS.config)) response.write(goodConfig);
  else response.end(goodAnswer);
};
const stream =
  (body: string | Buffer, then: (response: ServerResponse) => void = () => {}): Misbehaviour =>
  (request, response) => {
    if (!request.url?.startsWith(FLEET_PATHS.config)) return void response.end(goodAnswer);
    response.write(body);
    then(response);
  };
const answer =
  (body: string | Buffer, status = 200): Misbehaviour =>
  (request, response) => {
    if (request.url?.startsWith(FLEET_PATHS.config)) return void response.write(goodConfig);
    response.writeHead(status).end(body);
  };

describe('a proxy, in front of an operator that misbehaves', () => {
  let harness: Harness;
  let act: Misbehaviour;
  let url: string;
  const logged = () => harness.logs.join('');

  beforeEach(async () => {
    harness = createHarness();
    const { store, logger, caFile } = harness;
    const authority = createCertificateAuthority({ store, hosts: ['127.0.0.1'], clock: systemClock, logger });
    await authority.start();
    writeFileSync(caFile, authority.caBundle());
    const { certificate, key } = authority.serving();
    const server = createServer({ cert: certificate, key }, (request, response) => {
      request.resume();
      response.on('error', () => {});
      act(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    harness.onClose(() => {
      authority.stop();
      server.close();
      server.closeAllConnections();
    });
  });
  afterEach(() => harness.close());

  it.each<[string, Misbehaviour, string]>([
    ['a line that is no JSON', stream('nonsense\n'), 'that are no message'],
    ['a message of an unknown type', stream('{"type":"surprise"}\n'), 'that are no message'],
    ['a message that never ends', stream(Buffer.alloc(MAX_MESSAGE_BYTES + 1, 'x')), 'a message of more than'],
    ['a message that is cut off', stream(goodConfig.slice(0, 100), (response) => response.end()), 'ended inside a message'],
    [
      'a reset inside a message',
      stream(goodConfig.slice(0, 100), (response) => setTimeout(() => response.destroy(), 50)),
      'away',
    ],
    ['a refusal', (_request, response) => void response.writeHead(500).end('on fire'), 'the operator answered 500: on fire'],
    [
      'a refusal without an end',
      (_request, response) => void response.writeHead(500).end(Buffer.alloc(100_000, 'x')),
      'the operator answered 500',
    ],
    [
      'a redirect',
      (_request, response) => void response.writeHead(302, { location: 'https://elsewhere/' }).end(),
      'answered 302',
    ],
    ['a head, and then silence', stream('', (response) => response.flushHeaders()), 'the operator has said nothing for'],
  ])('survives %s, and is served as soon as the operator is itself again', async (_sentence, misbehave, mention) => {
    act = misbehave;
    const proxy = createStubProxy();
    harness.client(proxy, { url, silentAfterMs: 500 });
    await eventually(() => expect(logged()).toContain(mention));
    expect(proxy.applied).toEqual([]);
    act = behave;
    await eventually(() => expect(proxy.applied).toEqual(['good']));
  });

  it.each<[string, Misbehaviour, string]>([
    ['that is no JSON', answer('nonsense'), 'not what the contract says'],
    ['with a verdict that does not exist', answer(badAnswer()), 'not what the contract says'],
    ['that is too large', answer(Buffer.alloc(MAX_MESSAGE_BYTES + 1, ' ')), 'answer has more than'],
    ['that refuses', answer('{"message":"proxy: too long"}', 400), 'the operator answered 400'],
  ])('adopts nothing from an answer %s, and keeps its stream', async (_sentence, misbehave, mention) => {
    act = misbehave;
    const proxy = createStubProxy();
    const client = harness.client(proxy, { url });
    await eventually(() => expect(logged()).toContain(mention));
    expect(proxy.views).toEqual([]);
    expect(client.connected()).toBe(true);
    expect(proxy.applied).toEqual(['good']);
    act = behave;
    await eventually(() => expect(proxy.views).toHaveLength(1));
  });

  it('reports once at a time, and not the faster for news, while reports fail', async () => {
    let reports = 0;
    act = (request, response) => {
      if (!request.url?.startsWith(FLEET_PATHS.config)) reports += 1;
      answer('', 500)(request, response);
    };
    const proxy = createStubProxy();
    harness.client(proxy, { url });
    await eventually(() => expect(reports).toBe(1));
    for (let index = 0; index < 200; index += 1) {
      proxy.news();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(reports).toBeLessThan(5);
  });

  it('does not take a quiet operator for a dead one: pings are enough', async () => {
    let pings = 0;
    act = stream(goodConfig, (response) => {
      const timer = setInterval(() => {
        pings += 1;
        response.write('{"type":"ping"}\n');
      }, 50);
      response.on('close', () => clearInterval(timer));
    });
    const client = harness.client(createStubProxy(), { url, silentAfterMs: 1_000 });
    await eventually(() => expect(pings).toBeGreaterThan(40));
    expect(client.connected()).toBe(true);
    expect(logged().match(/connected to the operator/g)).toHaveLength(1);
  });

  it('refuses a config that it can not serve, and keeps the channel', async () => {
    act = stream(`${JSON.stringify({ type: 'config', config: { revision: 'newer', version: 99 } })}\n`);
    const proxy = createStubProxy();
    const client = harness.client(proxy, { url });
    await eventually(() => expect(proxy.report().refused?.revision).toBe('newer'));
    expect(client.connected()).toBe(true);
  });
});

function badAnswer(): string {
  const target = { id: TARGET, health: 'Splendid', reason: 'NoSignal', since: at(0) };
  return JSON.stringify({ view: { time: at(0), proxies: 1, targets: [target] }, acknowledged: [proxyReport().proxy] });
}
