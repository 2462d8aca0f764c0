import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent } from 'undici';
import { createHttpTransport } from './http-transport.ts';
import type { KubeTransport } from './kube-transport.ts';

describe('the way to an API server that misbehaves', () => {
  let server: Server;
  let dispatcher: Agent;
  let transport: KubeTransport;
  let answer: RequestListener;
  const open = new Set<import('node:net').Socket>();

  beforeEach(async () => {
    server = createServer((request, response) => answer(request, response));
    server.on('connection', (socket) => open.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    dispatcher = new Agent();
    const connection = { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`, headers: {}, dispatcher };
    transport = createHttpTransport({ current: async () => connection, close: () => dispatcher.destroy() }, 'test');
  });
  afterEach(async () => {
    await transport.close();
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  const cases: [behaviour: string, RequestListener, expected: object][] = [
    [
      'reads what is wrong from a Status',
      (_, response) => {
        response.writeHead(429, { 'retry-after': '7' });
        response.end('{"kind":"Status","reason":"TooManyRequests","message":"slow down"}');
      },
      {
        code: 'TooManyRequests',
        status: 429,
        reason: 'TooManyRequests',
        retryAfterMs: 7_000,
        retryable: true,
        message: 'GET /api: slow down',
      },
    ],
    [
      'repeats the words of something before the API server',
      (_, response) => response.writeHead(503).end('<html>no backend</html>'),
      { code: 'ServerError', retryable: true, message: 'GET /api: <html>no backend</html>' },
    ],
    [
      'does not take a page for an object',
      (_, response) => response.end('<html>welcome</html>'),
      { code: 'Unexpected', retryable: false },
    ],
    [
      'calls a connection that is cut unreachable',
      (request) => request.socket.destroy(),
      { code: 'Unreachable', retryable: true },
    ],
    [
      'calls an answer that is cut unreachable, and gives no half of it',
      (request, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"a":1}');
        setImmediate(() => request.socket.destroy());
      },
      { code: 'Unreachable' },
    ],
    ['gives up an answer that does not come', () => {}, { code: 'Timeout', retryable: true }],
    [
      'takes a version from the future as one that is gone, since only a new list helps',
      (_, response) =>
        response
          .writeHead(504)
          .end(
            '{"kind":"Status","reason":"Timeout","details":{"causes":[{"reason":"ResourceVersionTooLarge"}]},"message":"Too large"}',
          ),
      { code: 'Expired' },
    ],
  ];
  it.each(cases)('%s', async (_, listener, expected) => {
    answer = listener;
    await expect(transport.request({ method: 'GET', path: '/api', timeoutMs: 500 })).rejects.toMatchObject(expected);
  });

  it('asks below the prefix of the server, with the query', async () => {
    let asked: string | undefined;
    answer = (request, response) => {
      asked = `${request.method} ${request.url}`;
      response.end('{}');
    };
    await transport.request({ method: 'GET', path: '/api', query: { a: 'x y', b: undefined } });
    expect(asked).toBe('GET /prefix/api?a=x+y');
  });

  it('gives up when its caller does', async () => {
    const caller = new AbortController();
    answer = () => caller.abort();
    const call = transport.request({ method: 'GET', path: '/api', signal: caller.signal });
    await expect(call).rejects.toMatchObject({ code: 'Aborted', retryable: false });
    await expect(transport.request({ method: 'GET', path: '/api', signal: caller.signal })).rejects.toMatchObject({
      code: 'Aborted',
    });
  });

  it('ends a stream that falls silent', async () => {
    answer = (_, response) => response.write('{"type":');
    const stream = await transport.stream({ path: '/api', signal: new AbortController().signal, idleTimeoutMs: 300 });
    const read = async () => {
      for await (const _ of stream);
    };
    await expect(read()).rejects.toMatchObject({ code: 'Timeout', request: 'WATCH /api' });
  });
});
