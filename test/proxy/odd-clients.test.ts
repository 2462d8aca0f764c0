import { connect, type Socket } from 'node:net';
import { ask } from '../lab/ask.ts';
import { bodyOf, rawExchange } from '../lab/raw-exchange.ts';
import { type Stage, startProxy } from './start-proxy.ts';

let stage: Stage;
afterEach(() => stage?.stop());

const CHAT = JSON.stringify({ model: 'writer', messages: [{ role: 'user', content: 'Who are you?' }] });
const JSON_TYPE = { 'content-type': 'application/json' };
const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version': '13',
};

/** A connection that stays open on its side when the other ends, and may be cut in the middle. */
function open(): Socket {
  const socket = connect({ port: stage.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  return socket;
}

describe('an address that is no address', () => {
  it.each(['http://a:99999/v1/realtime', 'http://', 'http://[/v1/files'])(
    '%s is refused, and the proxy lives on',
    async (path) => {
      stage = await startProxy();
      for (const headers of [UPGRADE, {}]) {
        const { text } = await rawExchange({ port: stage.port, method: 'GET', path, headers, quietMs: 2_000 });
        expect(text).toMatch(/^HTTP\/1.1 400 /);
      }
      expect((await ask(stage.client)).error).toBeUndefined();
    },
  );

  it.each(['//v1/chat/completions', '/v1//chat/completions', '/v1/./chat/completions', 'http://proxy/v1/chat/completions'])(
    '%s is understood as what it means, with failover, and not passed through',
    async (path) => {
      stage = await startProxy();
      await stage.primary.setFault({ kind: 'refuse' });
      const seen = await rawExchange({ port: stage.port, path, body: CHAT, headers: JSON_TYPE });
      expect(seen.text).toMatch(/^HTTP\/1.1 200 /);
      expect(JSON.parse(bodyOf(seen)).model).toContain('secondary-model');
    },
  );
});

describe('a client that asks for another protocol', () => {
  it('as Java does with every first request (h2c) is answered in the one that it used', async () => {
    stage = await startProxy();
    const headers = {
      ...JSON_TYPE,
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
    };
    const seen = await rawExchange({ port: stage.port, body: CHAT, headers, maxBytes: 400, quietMs: 2_000 });
    expect(seen.text).toMatch(/^HTTP\/1.1 200 /);
  });

  it('for a session that is refused, and resets, leaves the proxy alive and no connection behind', async () => {
    stage = await startProxy();
    const lines = Object.entries(UPGRADE).map(([name, value]) => `${name}: ${value}\r\n`);
    for (let index = 0; index < 20; index++) {
      const socket = open();
      socket.write(`GET /elsewhere HTTP/1.1\r\nhost: x\r\n${lines.join('')}\r\n`, () => socket.resetAndDestroy());
      await new Promise((resolve) => socket.once('close', resolve));
    }
    // One that does not go by itself: what it sends is refused when nothing is held open for it.
    const lingering = open();
    const closed = new Promise((resolve) => lingering.once('close', resolve));
    lingering.write(`GET /elsewhere HTTP/1.1\r\nhost: x\r\n${lines.join('')}\r\n`);
    lingering.resume();
    const writing = setInterval(() => lingering.write('x'), 20);
    lingering.once('close', () => clearInterval(writing));
    await closed;
    expect((await ask(stage.client)).error).toBeUndefined();
  });
});
