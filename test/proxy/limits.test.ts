import { connect } from 'node:net';
import { ask } from '../lab/ask.ts';
import { bodyOf, rawExchange } from '../lab/raw-exchange.ts';
import { type Stage, startProxy } from './start-proxy.ts';

let stage: Stage;
afterEach(() => stage?.stop());

const JSON_TYPE = { 'content-type': 'application/json' };
const chat = (content: string) => JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }] });
const errorOf = (seen: { text: string; ended: 'end' | 'reset' | 'refused' | 'open' }) => JSON.parse(bodyOf(seen)).error;

describe('a request that is too much', () => {
  it('body: 413 in OpenAI form, and nothing is asked of a provider', async () => {
    stage = await startProxy({ limits: { bodyBytes: 100_000 } });
    const seen = await rawExchange({ port: stage.port, body: chat('x'.repeat(200_000)), headers: JSON_TYPE });
    expect(seen.text).toMatch(/^HTTP\/1.1 413 /);
    expect(errorOf(seen)).toMatchObject({ message: expect.stringContaining('100'), type: 'invalid_request_error' });
    expect(stage.primary.requests).toEqual([]);
    expect((await ask(stage.client, { prompt: 'x'.repeat(90_000) })).error).toBeUndefined();
  });

  it('body without a length: 413 as soon as the limit is passed, not at its end', async () => {
    stage = await startProxy({ limits: { bodyBytes: 100_000 } });
    const seen = await new Promise<string>((resolve) => {
      const socket = connect({ port: stage.port, host: '127.0.0.1' });
      let text = '';
      socket.setEncoding('latin1').on('data', (bytes) => {
        text += bytes;
        if (text.includes('\r\n\r\n')) socket.destroy();
      });
      // The proxy may close what it no longer reads.
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
      socket.write(
        'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
      );
      const piece = 'x'.repeat(0x8000);
      // Never ended: only the limit can end it.
      for (let index = 0; index < 8; index++) socket.write(`8000\r\n${piece}\r\n`);
    });
    expect(seen).toMatch(/^HTTP\/1.1 413 /);
    expect(stage.primary.requests).toEqual([]);
  });

  it('headers: 431', async () => {
    stage = await startProxy({ limits: { headerBytes: 16 * 1024 } });
    const headers = { ...JSON_TYPE, 'x-large': 'x'.repeat(64 * 1024) };
    const seen = await rawExchange({ port: stage.port, body: chat('hi'), headers });
    expect(seen.text).toMatch(/^HTTP\/1.1 431 /);
    expect(stage.primary.requests).toEqual([]);
  });

  it('of bodies together: 503 with Retry-After, and room again when the others are done', async () => {
    const long = { firstContent: 40_000, response: 40_000, idle: 40_000, total: 50_000 };
    stage = await startProxy({ limits: { heldBodyBytes: 100_000 }, routes: [{ timeouts: long }] });
    await stage.primary.setFault({ kind: 'hang' }, { first: 1 });
    const leaving = new AbortController();
    const hanging = ask(stage.client, { prompt: 'x'.repeat(60_000), signal: leaving.signal, timeoutMs: 40_000 });
    await stage.primary.waitForRequest(() => true);
    const refused = await rawExchange({ port: stage.port, body: chat('y'.repeat(60_000)), headers: JSON_TYPE });
    expect(refused.text).toMatch(/^HTTP\/1.1 503 /);
    expect(refused.text).toMatch(/\r\nretry-after: \d+\r\n/i);
    expect(errorOf(refused)).toMatchObject({ code: 'too_many_bytes_at_once' });
    leaving.abort();
    await hanging;
    const deadline = AbortSignal.timeout(10_000);
    while ((await ask(stage.client, { prompt: 'z'.repeat(60_000) })).error) deadline.throwIfAborted();
  });

  it('at once: 503 with Retry-After, and room again when the others are done', async () => {
    const long = { firstContent: 40_000, response: 40_000, idle: 40_000, total: 50_000 };
    stage = await startProxy({ limits: { concurrentRequests: 4 }, routes: [{ timeouts: long }] });
    await stage.primary.setFault({ kind: 'hang' }, { first: 4 });
    const leaving = new AbortController();
    const hanging = Array.from({ length: 4 }, (_, index) =>
      ask(stage.client, { stream: index % 2 === 0, signal: leaving.signal, timeoutMs: 40_000 }),
    );
    await stage.primary.waitForRequest(({ number }) => number === 4);
    const refused = await rawExchange({ port: stage.port, body: chat('hi'), headers: JSON_TYPE });
    expect(refused.text).toMatch(/^HTTP\/1.1 503 /);
    expect(refused.text).toMatch(/\r\nretry-after: \d+\r\n/i);
    expect(errorOf(refused)).toMatchObject({ message: expect.any(String), type: expect.any(String), code: expect.any(String) });
    leaving.abort();
    await Promise.all(hanging);
    const deadline = AbortSignal.timeout(10_000);
    while ((await ask(stage.client)).error) deadline.throwIfAborted();
    expect(stage.primary.counters.byOutcome.clientGone).toBe(4);
  });

  it.each([
    { way: 'whole', stream: false, prompt: '[900000 words]' },
    { way: 'streamed', stream: true, prompt: '[60000 words]' },
    { way: 'streamed when it is complete', stream: true, prompt: '[60000 words]', commit: 'Complete' as const },
  ])('patience: an answer that its client does not read ($way) is not held for ever', async ({ stream, prompt, commit }) => {
    const streaming = { commit: commit ?? ('FirstContent' as const), afterCommit: 'Error' as const };
    stage = await startProxy({
      limits: { slowClient: 500, concurrentRequests: 1 },
      routes: [{ timeouts: { response: 8_000 }, streaming }],
    });
    const body = JSON.stringify({ model: 'gpt-4o', stream, messages: [{ role: 'user', content: prompt }] });
    const socket = connect({ port: stage.port, host: '127.0.0.1' });
    socket.pause();
    socket.on('error', () => undefined);
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await stage.primary.waitForRequest(() => true);
    // Its place is free again only when it was given up.
    const deadline = AbortSignal.timeout(20_000);
    while ((await ask(stage.client)).error) {
      deadline.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(socket.destroyed).toBe(false);
    socket.destroy();
  });
});
