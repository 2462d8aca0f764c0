import { ask } from '../lab/ask.ts';
import { type Stage, startProxy } from './start-proxy.ts';

let stage: Stage;
beforeEach(async () => {
  // Far longer than the test: only the client's leaving can end an attempt.
  const long = { connect: 20_000, firstContent: 40_000, response: 40_000, idle: 40_000, total: 50_000 };
  stage = await startProxy({ routes: [{ timeouts: long }] });
});
afterEach(() => stage?.stop());

const ways = [{ stream: false }, { stream: true }];

describe('a client that goes away', () => {
  it.each(ways)(
    'before the answer cancels the attempt upstream, and no other target is asked, stream: $stream',
    async ({ stream }) => {
      await stage.primary.setFault({ kind: 'hang' });
      const leaving = new AbortController();
      const asked = ask(stage.client, { stream, signal: leaving.signal });
      await stage.primary.waitForRequest(() => true);
      leaving.abort();
      await asked;
      await stage.primary.waitForRequest(({ outcome }) => outcome === 'clientGone');
      expect(stage.secondary.requests).toEqual([]);
    },
  );

  it('in the middle of a stream cancels it upstream', async () => {
    await stage.primary.setFault({ kind: 'stall', afterChunks: 3 });
    const leaving = new AbortController();
    const stream = await stage.client.chat.completions.create(
      { model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: 'Who are you?' }] },
      { signal: leaving.signal },
    );
    let chunks = 0;
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content && ++chunks === 3) leaving.abort();
    }
    await stage.primary.waitForRequest(({ outcome }) => outcome === 'clientGone');
    expect(stage.secondary.requests).toEqual([]);
  });

  it('while the proxy waits for a Retry-After is not asked for again', async () => {
    stage.apply([{ retries: { waitUpTo: 30_000 } }]);
    await stage.primary.setFault({
      kind: 'status',
      status: 429,
      contentType: 'application/json',
      headers: { 'retry-after-ms': '300' },
      body: '{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}',
    });
    const leaving = new AbortController();
    const asked = ask(stage.client, { signal: leaving.signal });
    await stage.primary.waitForRequest(({ outcome }) => outcome === 'whole');
    leaving.abort();
    await asked;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(stage.primary.requests).toHaveLength(1);
    expect(stage.secondary.requests).toEqual([]);
  });

  it('before a whole answer was due says nothing either, though it waited longer than for a first word', async () => {
    stage.apply([{ timeouts: { firstContent: 300, response: 40_000, total: 50_000 } }]);
    await stage.primary.setFault({ kind: 'hang' });
    for (let index = 0; index < 5; index++) {
      const leaving = new AbortController();
      const asked = ask(stage.client, { signal: leaving.signal });
      await stage.primary.waitForRequest(({ number, outcome }) => number === index + 1 && outcome === 'open');
      await new Promise((resolve) => setTimeout(resolve, 250));
      leaving.abort();
      await asked;
      await stage.primary.waitForRequest(({ number, outcome }) => number === index + 1 && outcome === 'clientGone');
    }
    expect(stage.proxy.report().targets.find(({ id }) => id === 'primary/lab/gpt-4o')).toMatchObject({ health: 'Unknown' });
  });

  it('says nothing about the provider: its health stays what it was', async () => {
    expect((await ask(stage.client)).error).toBeUndefined();
    await stage.primary.setFault({ kind: 'hang' });
    for (let index = 0; index < 8; index++) {
      const leaving = new AbortController();
      const asked = ask(stage.client, { signal: leaving.signal });
      await stage.primary.waitForRequest(({ outcome }) => outcome === 'open');
      leaving.abort();
      await asked;
      await stage.primary.waitForRequest(({ number, outcome }) => number === index + 2 && outcome === 'clientGone');
    }
    const target = stage.proxy.report().targets.find(({ id }) => id === 'primary/lab/gpt-4o');
    expect(target).toMatchObject({ health: 'Healthy', failures: 0 });
  });
});
