import { connect } from 'node:net';
import { ask } from '../lab/ask.ts';
import { bodyOf, rawExchange } from '../lab/raw-exchange.ts';
import { type Stage, startProxy } from './start-proxy.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await startProxy();
});
afterEach(() => stage?.stop());

const send = (body: string, path = '/v1/chat/completions', method = 'POST') =>
  rawExchange({ port: stage.port, path, method, body, headers: { 'content-type': 'application/json' } });

describe('a request that no route can take', () => {
  it.each([{ stream: false }, { stream: true }])(
    'an unknown model is 404 model_not_found, and says which names there are, stream: $stream',
    async ({ stream }) => {
      const { error } = await ask(stage.client, { model: 'gpt-9', stream });
      expect(error).toMatchObject({ status: 404, code: 'model_not_found', type: 'invalid_request_error' });
      expect((error as Error).message).toContain('gpt-9');
      expect((error as Error).message).toContain('writer');
    },
  );

  it.each([
    ['no JSON', 'hello'],
    ['half of a JSON', '{"model":"gpt-4o","messages":[{"role":"user","con'],
    ['no object', '[]'],
    ['an empty body', ''],
    ['no model', '{"messages":[]}'],
    ['a model that is no text', '{"model":7,"messages":[]}'],
  ])('%s is 400 in OpenAI form, and no provider is asked', async (_, body) => {
    const seen = await send(body);
    expect(seen.text).toMatch(/^HTTP\/1.1 400 /);
    expect(JSON.parse(bodyOf(seen)).error).toMatchObject({ message: expect.any(String), type: 'invalid_request_error' });
    expect(stage.primary.requests).toEqual([]);
  });

  it('a path outside of the API is 404 in OpenAI form, and no provider is asked', async () => {
    const seen = await send('', '/nothing/here', 'GET');
    expect(seen.text).toMatch(/^HTTP\/1.1 404 /);
    expect(JSON.parse(bodyOf(seen)).error).toMatchObject({ message: expect.any(String) });
    expect(stage.primary.requests).toEqual([]);
  });

  it('a path that climbs out of the base path of a provider is not followed', async () => {
    for (const path of ['/v1/../admin', '/v1/%2e%2e/admin', '/v1/files/../../admin', '/v1//files/%2e%2e/%2e%2e/admin']) {
      await send('', path, 'GET');
    }
    for (const { path } of stage.primary.requests) expect(new URL(path, 'http://x').pathname).toMatch(/^\/v1\//);
  });

  it('a request that breaks off in its body asks no provider, and leaves the proxy well', async () => {
    const body = JSON.stringify({ model: 'gpt-4o', messages: [] });
    await new Promise<void>((resolve) => {
      const socket = connect({ port: stage.port, host: '127.0.0.1' }, () => {
        socket.write(
          `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length + 10}\r\n\r\n${body}`,
          () => {
            socket.destroy();
            resolve();
          },
        );
      });
    });
    expect((await ask(stage.client)).error).toBeUndefined();
    expect(stage.primary.requests).toHaveLength(1);
  });

  it('a route that is taken away is an unknown model from then on', async () => {
    stage.apply([{ models: ['another'] }]);
    expect((await ask(stage.client)).error).toMatchObject({ status: 404, code: 'model_not_found' });
    expect((await ask(stage.client, { model: 'another' })).error).toBeUndefined();
  });
});
