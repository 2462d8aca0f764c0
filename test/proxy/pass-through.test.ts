import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { ask } from '../lab/ask.ts';
import { sayText, TOOL_MARKER, toolArguments } from '../lab/chat-answer.ts';
import { embed } from '../lab/embedding-answer.ts';
import { FAULTS } from '../lab/faults.ts';
import { APPLICATION_KEY, keyOf, type Stage, startProxy } from './start-proxy.ts';

let stage: Stage;
afterEach(() => stage?.stop());

describe('the other parts of the API', () => {
  it('models: the names that the routes answer to, and no other', async () => {
    stage = await startProxy({
      routes: [{ models: ['gpt-4o', 'writer'] }, { models: ['reader'], chain: [{ lab: 'primary', model: 'secret-model' }] }],
    });
    const ids: string[] = [];
    for await (const { id, object } of stage.client.models.list()) {
      ids.push(id);
      expect(object).toBe('model');
    }
    expect(ids.sort()).toEqual(['gpt-4o', 'reader', 'writer']);
    expect(await stage.client.models.retrieve('writer')).toMatchObject({ id: 'writer', object: 'model' });
  });

  it('completions: whole and streamed, and by the fallback when the primary is broken', async () => {
    stage = await startProxy();
    for (const lab of ['primary', 'secondary']) {
      const model = lab === 'primary' ? 'gpt-4o' : 'secondary-model';
      if (lab === 'secondary') await stage.primary.setFault({ kind: 'refuse' });
      const whole = await stage.client.completions.create({ model: 'gpt-4o', prompt: 'Say it' });
      expect(whole.choices[0]?.text).toBe(sayText(lab, model, ''));
      let text = '';
      for await (const chunk of await stage.client.completions.create({ model: 'gpt-4o', prompt: 'Say it', stream: true })) {
        text += chunk.choices[0]?.text ?? '';
      }
      expect(text).toBe(sayText(lab, model, ''));
    }
  });

  it('embeddings: by the fallback when the primary is broken or sends none', async () => {
    stage = await startProxy();
    const ask = async () => (await stage.client.embeddings.create({ model: 'gpt-4o', input: ['a', 'b'] })).data;
    expect((await ask()).map(({ embedding }) => embedding)).toEqual([[...embed('primary\na')], [...embed('primary\nb')]]);
    for (const name of ['status-503', 'empty-choices', 'truncated-body', 'hang'] as const) {
      await stage.primary.setFault(FAULTS[name].fault);
      expect((await ask())[0]?.embedding).toEqual([...embed('secondary\na')]);
    }
  });

  it.each(['whole', 'streamed'])('a tool call comes through, %s, and counts as content', async (way) => {
    stage = await startProxy();
    const question = {
      model: 'gpt-4o',
      messages: [{ role: 'user' as const, content: TOOL_MARKER }],
      tools: [{ type: 'function' as const, function: { name: 'get_weather', parameters: { type: 'object' } } }],
    };
    const answer =
      way === 'whole'
        ? await stage.client.chat.completions.create(question)
        : await stage.client.chat.completions.stream(question).finalChatCompletion();
    expect(answer.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { tool_calls: [{ function: { name: 'get_weather', arguments: toolArguments('primary') } }] },
    });
  });
});

describe('a path that is not interpreted', () => {
  it("is passed on to the route's target as it is, with the endpoint's key", async () => {
    stage = await startProxy();
    const body = randomBytes(300_000);
    const answer = await fetch(`${stage.baseURL}/audio/transcriptions?language=en`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'multipart/form-data; boundary=x',
        authorization: `Bearer ${APPLICATION_KEY}`,
        'x-api-key': APPLICATION_KEY,
        cookie: 'session=of-the-application',
      },
    });
    expect(await answer.json()).toMatchObject({
      lab: 'primary',
      method: 'POST',
      path: '/v1/audio/transcriptions?language=en',
      bytes: body.length,
      bodySha256: createHash('sha256').update(body).digest('hex'),
      contentType: 'multipart/form-data; boundary=x',
    });
    expect(stage.primary.requests[0]?.key).toBe(keyOf('primary'));
    for (const secret of [APPLICATION_KEY, 'of-the-application']) {
      expect(JSON.stringify(stage.primary.requests[0]?.rawHeaders)).not.toContain(secret);
    }
    expect(answer.headers.get('x-understudy-target')).toBe('primary/lab/gpt-4o');
  });

  it.each(['GET', 'DELETE', 'PUT'])('keeps its method: %s', async (method) => {
    stage = await startProxy();
    const answer = await fetch(`${stage.baseURL}/files/file-1?x=1`, { method });
    expect(await answer.json()).toMatchObject({ lab: 'primary', method, path: '/v1/files/file-1?x=1' });
  });

  it('goes to the target that is on stage now', async () => {
    stage = await startProxy();
    await stage.primary.setFault({ kind: 'reset' });
    for (let index = 0; index < 10; index++) await ask(stage.client);
    const answer = await fetch(`${stage.baseURL}/files`);
    expect(await answer.json()).toMatchObject({ lab: 'secondary', path: '/v1/files' });
  });

  it('is a 502 in OpenAI form when its target does not answer', async () => {
    stage = await startProxy({ labs: [{ name: 'primary' }] });
    await stage.primary.setFault({ kind: 'refuse' });
    const answer = await fetch(`${stage.baseURL}/files`);
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ error: { message: expect.any(String), type: expect.any(String) } });
  });

  it('is given up at the provider when the client goes', async () => {
    stage = await startProxy();
    await stage.primary.setFault({ kind: 'hang' });
    for (const method of ['GET', 'POST']) {
      const leaving = new AbortController();
      const body = method === 'POST' ? { body: 'x' } : {};
      const asked = fetch(`${stage.baseURL}/files`, { method, signal: leaving.signal, ...body }).catch(() => undefined);
      await stage.primary.waitForRequest((request) => request.method === method);
      leaving.abort();
      await asked;
      await stage.primary.waitForRequest((request) => request.method === method && request.outcome === 'clientGone');
    }
  });

  it('carries a WebSocket both ways, with the key of the endpoint', async () => {
    stage = await startProxy();
    const socket = new WebSocket(`${stage.baseURL.replace('http', 'ws')}/realtime?model=gpt-4o`);
    const heard: string[] = [];
    const closed = new Promise((resolve) => socket.addEventListener('close', resolve));
    socket.addEventListener('message', ({ data }) => {
      heard.push(String(data));
      if (heard.length === 2) socket.close(1000);
    });
    socket.addEventListener('open', () => {
      socket.send('hello');
      socket.send('y'.repeat(100_000));
    });
    await closed;
    expect(heard).toEqual(['hello', 'y'.repeat(100_000)]);
    expect(stage.primary.requests[0]).toMatchObject({ key: keyOf('primary'), status: 101 });
    await stage.primary.waitForRequest(({ outcome }) => outcome === 'whole');
  });

  it('takes a WebSocket back from the provider when the client goes before it is open', async () => {
    stage = await startProxy();
    await stage.primary.setFault({ kind: 'hang' });
    const socket = connect({ port: stage.port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    socket.write(
      'GET /v1/realtime HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\nsec-websocket-version: 13\r\n\r\n',
    );
    await stage.primary.waitForRequest(() => true);
    socket.destroy();
    await stage.primary.waitForRequest(({ outcome }) => outcome === 'clientGone');
  });

  it('closes a WebSocket whose target can not be reached', async () => {
    stage = await startProxy({ labs: [{ name: 'primary' }] });
    await stage.primary.setFault({ kind: 'refuse' });
    const socket = new WebSocket(`${stage.baseURL.replace('http', 'ws')}/realtime?model=gpt-4o`);
    await new Promise((resolve) => socket.addEventListener('close', resolve));
    expect((await ask(stage.client)).error).toBeDefined();
    await stage.primary.setFault(undefined);
    const deadline = AbortSignal.timeout(15_000);
    while ((await ask(stage.client)).error) deadline.throwIfAborted();
  });
});
