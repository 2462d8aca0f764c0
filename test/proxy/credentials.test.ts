import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { ask } from '../lab/ask.ts';
import { KEY_PLACEHOLDER } from '../lab/error-bodies.ts';
import type { Fault } from '../lab/fault.ts';
import { FAULTS, type FaultName } from '../lab/faults.ts';
import { rawExchange } from '../lab/raw-exchange.ts';
import { APPLICATION_KEY, keyOf, type Stage, startProxy } from './start-proxy.ts';

let stage: Stage;
afterEach(() => stage?.stop());

const PRIMARY = 'primary/lab/gpt-4o';
const SECONDARY = 'secondary/lab/secondary-model';
const targetOf = async () => (await ask(stage.client)).headers?.get('x-understudy-target');
const credentialOf = (secret: string) => stage.proxy.report().credentials.find((credential) => credential.secret === secret);

describe('a provider key', () => {
  it("is the endpoint's own; the application's never reaches a provider", async () => {
    stage = await startProxy();
    await stage.client.models.list();
    await ask(stage.client);
    await ask(stage.client, { stream: true });
    expect(stage.primary.requests.map(({ key }) => key)).toEqual([keyOf('primary'), keyOf('primary')]);
    expect(JSON.stringify(stage.primary.requests.map(({ rawHeaders }) => rawHeaders))).not.toContain(APPLICATION_KEY);
  });

  it.each([
    ['refused', 'invalid-key', 'Refused'],
    ['without permission', 'forbidden', 'Refused'],
    ['without quota', 'insufficient-quota', 'QuotaExhausted'],
    ['without credit', 'payment-required', 'QuotaExhausted'],
    ['whose balance is used up', 'credit-balance-exhausted', 'QuotaExhausted'],
  ] satisfies [string, FaultName, string][])('%s is left alone for long, and reported', async (_, name, state) => {
    stage = await startProxy();
    await stage.primary.setFault(FAULTS[name as FaultName].fault);
    for (let index = 0; index < 5; index++) expect(await targetOf()).toBe(SECONDARY);
    expect(stage.primary.requests).toHaveLength(1);
    expect(credentialOf('primary')).toMatchObject({ state });
    expect(credentialOf('secondary')).toMatchObject({ state: 'Resolved' });
  });

  it.each(['invalid-key', 'forbidden'] satisfies FaultName[])(
    'that a provider repeats in its error (%s) is told to nobody, and neither are the words around it',
    async (name) => {
      stage = await startProxy({ labs: [{ name: 'primary' }] });
      await stage.primary.setFault(FAULTS[name].fault);
      const body = JSON.stringify({ model: 'gpt-4o', messages: [] });
      const { text } = await rawExchange({ port: stage.port, body, headers: { 'content-type': 'application/json' } });
      expect(text).toMatch(/^HTTP\/1.1 503 /);
      for (const secret of [keyOf('primary'), keyOf('primary').slice(-8), 'Incorrect API key', 'may not use this project']) {
        expect(text).not.toContain(secret);
        expect(await stage.readable()).not.toContain(secret);
      }
    },
  );

  it.each(['status', 'headers', 'errorHeaders', 'event', 'body'] as const)(
    'that a provider repeats elsewhere (%s) is taken out',
    async (place) => {
      stage = await startProxy({ labs: [{ name: 'primary' }] });
      const key = keyOf('primary');
      const quoting = JSON.stringify({ error: { message: `your key ${key} asks too much`, type: 'server_error', code: 'odd' } });
      const contentType = 'application/json';
      switch (place) {
        case 'status':
          await stage.primary.setFault({ kind: 'status', status: 400, contentType, body: quoting });
          break;
        case 'headers':
          await stage.primary.setFault({ kind: 'headers', headers: { 'x-debug-key': key } });
          break;
        case 'errorHeaders':
          await stage.primary.setFault({
            kind: 'status',
            status: 400,
            contentType,
            headers: { 'x-debug-key': key },
            body: '{"error":{"message":"no"}}',
          });
          break;
        case 'event':
          await stage.primary.setFault({ kind: 'errorEvent', afterChunks: 2, error: quoting, ending: 'end' });
          break;
        case 'body':
          await stage.primary.setFault({ kind: 'status', status: 200, contentType, body: quoting });
      }
      for (const stream of [false, true]) {
        const body = JSON.stringify({ model: 'gpt-4o', stream, messages: [] });
        const { text } = await rawExchange({ port: stage.port, body, headers: { 'content-type': 'application/json' } });
        expect(text).toMatch(/^HTTP\/1.1 \d\d\d/);
        expect(text).not.toContain(key);
      }
    },
  );

  it.each([
    ['a path that is passed through, refused', '/v1/files', 'invalid-key', {}],
    ['a path that is passed through, for another reason', '/v1/files', 'quoting', {}],
    [
      'a WebSocket that is refused',
      '/v1/realtime',
      'invalid-key',
      { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': 'x', 'sec-websocket-version': '13' },
    ],
  ] as const)('that a provider repeats is taken out: %s', async (_, path, name, headers) => {
    stage = await startProxy();
    const body = `{"error":{"message":"odd: ${KEY_PLACEHOLDER}","type":"invalid_request_error"}}`;
    const quoting: Fault = { kind: 'status', status: 400, contentType: 'application/json', body };
    await stage.primary.setFault(name === 'quoting' ? quoting : FAULTS[name].fault);
    const seen = await rawExchange({ port: stage.port, method: 'GET', path, headers });
    expect(stage.primary.requests[0]?.key).toBe(keyOf('primary'));
    expect(seen.text).not.toContain(keyOf('primary'));
  });

  it('that a provider repeats in a compressed error is not told either', async () => {
    stage = await startProxy();
    const error = gzipSync(`{"error":{"message":"odd: ${keyOf('primary')}"}}`);
    let accepted: string | undefined;
    const provider = createServer((request, response) => {
      accepted = request.headers['accept-encoding'];
      response.writeHead(400, { 'content-encoding': 'gzip', 'content-type': 'application/json' }).end(error);
    });
    provider.listen(0, '127.0.0.1');
    await once(provider, 'listening');
    const config = stage.apply([{}]);
    for (const endpoint of config.endpoints)
      for (const region of endpoint.regions) region.baseURL = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`;
    stage.proxy.applyConfig({ ...config, revision: 'compressed' });
    const answer = await fetch(`${stage.baseURL}/files`, { headers: { 'accept-encoding': 'gzip' } });
    expect(await answer.text()).not.toContain(keyOf('primary'));
    expect(accepted).toBe('identity');
    provider.close();
  });

  it("of the application never reaches a provider, wherever a session's client puts it", async () => {
    stage = await startProxy();
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-version': '13',
      'sec-websocket-protocol': `realtime, openai-insecure-api-key.${APPLICATION_KEY}, openai-beta.realtime-v1`,
      'openai-organization': 'org-of-the-application',
    };
    await rawExchange({ port: stage.port, method: 'GET', path: '/v1/realtime?model=gpt-4o', headers, quietMs: 500 });
    const [asked] = stage.primary.requests;
    expect(asked?.headers['sec-websocket-protocol']).toBe('realtime, openai-beta.realtime-v1');
    expect(JSON.stringify(asked?.rawHeaders)).not.toContain(APPLICATION_KEY);
    expect(JSON.stringify(asked?.rawHeaders)).not.toContain('org-of-the-application');
  });

  it('that is rotated is used for the next request, and ends the cooldown of the old one', async () => {
    stage = await startProxy();
    const [oldKey, newKey] = [keyOf('primary'), 'sk-primary-rotated-2f1b7c9a0d'];
    await stage.primary.setFault(FAULTS['invalid-key'].fault, { keys: [oldKey] });
    expect(await targetOf()).toBe(SECONDARY);
    expect(await targetOf()).toBe(SECONDARY);
    stage.credentials.set('primary', newKey);
    expect(await targetOf()).toBe(PRIMARY);
    expect(stage.primary.requests.map(({ key }) => key)).toEqual([oldKey, newKey]);
    expect(credentialOf('primary')).toMatchObject({ state: 'Resolved' });
  });

  it('of another Secret that is not mounted yet is waited for with the one before, config after config', async () => {
    stage = await startProxy();
    const applied = stage.apply([{}]);
    const elsewhere = (revision: string) => ({
      ...applied,
      revision,
      endpoints: applied.endpoints.map((endpoint) => ({
        ...endpoint,
        credential: { secret: `${endpoint.name}-new`, key: 'apiKey' },
      })),
    });
    for (const revision of ['second', 'third']) {
      stage.proxy.applyConfig(elsewhere(revision));
      expect(await targetOf()).toBe(PRIMARY);
    }
    expect(credentialOf('primary-new')).toMatchObject({ state: 'Missing' });
    stage.credentials.set('primary-new', 'sk-primary-new-77aa01');
    expect(await targetOf()).toBe(PRIMARY);
    expect(stage.primary.requests.map(({ key }) => key)).toEqual([keyOf('primary'), keyOf('primary'), 'sk-primary-new-77aa01']);
  });

  it('of one address never goes to another', async () => {
    stage = await startProxy();
    const applied = stage.apply([{}]);
    const [other] = applied.endpoints.filter(({ name }) => name === 'secondary').map(({ regions }) => regions);
    stage.proxy.applyConfig({
      ...applied,
      revision: 'moved',
      endpoints: applied.endpoints.map((endpoint) =>
        endpoint.name === 'primary'
          ? { ...endpoint, regions: other, credential: { secret: 'primary-new', key: 'apiKey' } }
          : endpoint,
      ),
    });
    await targetOf();
    expect(stage.secondary.requests.map(({ key }) => key)).not.toContain(keyOf('primary'));
  });

  it('that is rotated under load costs no request', async () => {
    stage = await startProxy();
    let over = false;
    const errors: unknown[] = [];
    const load = Array.from({ length: 8 }, async () => {
      while (!over) {
        const { error } = await ask(stage.client);
        if (error) errors.push(error);
      }
    });
    for (let turn = 0; turn < 20; turn++) {
      stage.credentials.set('primary', `sk-primary-turn-${turn}-5c1de9`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    over = true;
    await Promise.all(load);
    expect(errors).toEqual([]);
    expect(Object.keys(stage.primary.counters.byKey).length).toBeGreaterThan(5);
  });

  it('that is missing moves traffic on, is reported, and serves as soon as it is there', async () => {
    stage = await startProxy();
    stage.credentials.set('primary', undefined);
    expect(await targetOf()).toBe(SECONDARY);
    expect(credentialOf('primary')).toMatchObject({ state: 'Missing' });
    expect(stage.primary.requests).toEqual([]);
    stage.credentials.set('primary', keyOf('primary'));
    expect(await targetOf()).toBe(PRIMARY);
    expect(credentialOf('primary')).toMatchObject({ state: 'Resolved' });
  });
});
