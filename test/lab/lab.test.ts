import { createHash } from 'node:crypto';
import OpenAI from 'openai';
import { ask } from './ask.ts';
import { sayText, TOOL_MARKER, toolArguments } from './chat-answer.ts';
import { embed } from './embedding-answer.ts';
import { FAULTS } from './faults.ts';
import { createLab, type Lab } from './lab.ts';
import { createLabControl } from './lab-control.ts';
import { bodyOf, rawExchange } from './raw-exchange.ts';

const KEY = 'sk-lab-key-1';
let lab: Lab;
let client: OpenAI;

beforeEach(async () => {
  lab = createLab({ name: 'primary' });
  await lab.start();
  client = new OpenAI({ baseURL: lab.baseURL, apiKey: KEY, maxRetries: 0 });
});
afterEach(() => lab.stop());

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const messages = [{ role: 'user' as const, content: 'Who are you?' }];
const tools = [{ type: 'function' as const, function: { name: 'get_weather', parameters: { type: 'object' } } }];
const toolMessages = [{ role: 'user' as const, content: `${TOOL_MARKER} What is the weather?` }];

describe('a lab that works', () => {
  it('answers a chat with its name, a dated model and usage', async () => {
    const answer = await client.chat.completions.create({ model: 'gpt-4o', messages });
    expect(answer.choices[0]?.message.content).toBe(sayText('primary', 'gpt-4o', ''));
    expect(answer.model).toBe('gpt-4o-2026-08-07');
    expect(answer.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 21, total_tokens: 24 });
  });

  it('streams the same answer: role first, then words, then the reason it ended', async () => {
    const seen = await ask(client, { stream: true });
    expect(seen).toMatchObject({ text: sayText('primary', 'gpt-4o', ''), chunks: 21, finishReason: 'stop', error: undefined });
    const port = Number(new URL(lab.baseURL).port);
    const raw = bodyOf(await rawExchange({ port, body: JSON.stringify({ model: 'gpt-4o', stream: true, messages }) }));
    const events = raw.trimEnd().split('\n\n');
    expect(JSON.parse(events[0]!.slice(6)).choices[0].delta).toEqual({ role: 'assistant', content: '', refusal: null });
    expect(events.at(-1)).toBe('data: [DONE]');
    expect(raw).not.toContain('usage');
  });

  it('streams usage, in a chunk without choices, when it is asked for', async () => {
    const stream = await client.chat.completions.create({
      model: 'gpt-4o',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await collect(stream);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 24 } });
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
  });

  it('calls a tool when the prompt says so, whole and in a stream', async () => {
    const question = { model: 'gpt-4o', messages: toolMessages, tools };
    const unary = await client.chat.completions.create(question);
    expect(unary.choices[0]?.message.tool_calls?.[0]).toMatchObject({
      function: { name: 'get_weather', arguments: toolArguments('primary') },
    });
    const streamed = await client.chat.completions.stream(question).finalChatCompletion();
    expect(streamed.choices[0]?.message.tool_calls?.[0]).toMatchObject({
      function: { name: 'get_weather', arguments: toolArguments('primary') },
    });
    expect(streamed.choices[0]?.finish_reason).toBe('tool_calls');
  });

  it('answers as long as the prompt wants', async () => {
    expect((await ask(client, { stream: true, prompt: '[50 words]' })).chunks).toBe(53);
  });

  it('answers completions, whole and in a stream', async () => {
    const question = { model: 'gpt-3.5-turbo-instruct', prompt: 'Say it' };
    const whole = await client.completions.create(question);
    const streamed = await collect(await client.completions.create({ ...question, stream: true }));
    expect(whole.choices[0]?.text).toBe(sayText('primary', 'gpt-3.5-turbo-instruct', ''));
    expect(streamed.map(({ choices }) => choices[0]?.text).join('')).toBe(whole.choices[0]?.text);
    expect(streamed.at(-1)?.choices[0]?.finish_reason).toBe('stop');
  });

  it('answers embeddings, as numbers and as base64', async () => {
    const expected = [...embed('primary\na')];
    for (const encoding_format of ['float', 'base64'] as const) {
      const answer = await client.embeddings.create({ model: 'text-embedding-3-small', input: ['a', 'b'], encoding_format });
      const [first] = answer.data.map(({ embedding }) => embedding);
      const numbers =
        typeof first === 'string' ? [...new Float32Array(Uint8Array.from(Buffer.from(first, 'base64')).buffer)] : first;
      expect(numbers).toEqual(expected);
    }
  });

  it('lists models', async () => {
    expect((await collect(client.models.list())).map(({ id }) => id)).toContain('gpt-4o');
  });

  it('echoes what it was asked on a path that it does not know', async () => {
    const body = Buffer.from([0, 255, 1, 254]);
    const answer = await fetch(`${lab.baseURL}/audio/transcriptions?x=1`, { method: 'POST', body });
    const bodySha256 = createHash('sha256').update(body).digest('hex');
    expect(await answer.json()).toMatchObject({
      lab: 'primary',
      method: 'POST',
      path: '/v1/audio/transcriptions?x=1',
      bytes: 4,
      bodySha256,
    });
  });

  it('echoes every message of a WebSocket, whatever its size', async () => {
    const socket = new WebSocket(`${lab.baseURL.replace('http', 'ws')}/realtime?model=gpt-4o`);
    const heard: string[] = [];
    const closed = new Promise((resolve) => socket.addEventListener('close', resolve));
    socket.addEventListener('message', ({ data }) => {
      heard.push(String(data));
      if (heard.length === 3) socket.close(1000);
    });
    const said = ['hello', 'x'.repeat(200), 'y'.repeat(100_000)];
    socket.addEventListener('open', () => said.forEach((text) => void socket.send(text)));
    await closed;
    expect(heard).toEqual(said);
    expect(lab.requests[0]?.path).toBe('/v1/realtime?model=gpt-4o');
  });

  it('refuses a WebSocket, resets it or leaves it waiting when a fault says so', async () => {
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': 'x', 'sec-websocket-version': '13' };
    const look = () => {
      const port = Number(new URL(lab.baseURL).port);
      const headers = { ...upgrade, authorization: `Bearer ${KEY}` };
      return rawExchange({ port, method: 'GET', path: '/v1/realtime', headers, quietMs: 300 });
    };
    await lab.setFault(FAULTS['invalid-key'].fault);
    const refused = await look();
    expect(refused.text).toMatch(/^HTTP\/1.1 401 /);
    expect(refused.text).toContain(KEY);
    await lab.setFault({ kind: 'hang' });
    expect(await look()).toEqual({ text: '', ended: 'open' });
    await lab.waitForRequest(({ outcome }) => outcome === 'clientGone');
    await lab.setFault({ kind: 'reset' });
    expect(await look()).toEqual({ text: '', ended: 'reset' });
    await lab.setFault(undefined);
    expect((await look()).text).toMatch(/^HTTP\/1.1 101 /);
  });

  it('refuses an unknown key, an unknown model and a request without messages, as OpenAI does', async () => {
    const strict = createLab({ name: 'strict', keys: [KEY], models: ['gpt-4o'] });
    const { baseURL } = await strict.start();
    const known = new OpenAI({ baseURL, apiKey: KEY, maxRetries: 0 });
    const stranger = new OpenAI({ baseURL, apiKey: 'sk-other', maxRetries: 0 });
    expect((await ask(stranger)).error).toMatchObject({ status: 401, code: 'invalid_api_key' });
    expect((await ask(known, { model: 'gpt-9' })).error).toMatchObject({ status: 404, code: 'model_not_found' });
    await expect(known.chat.completions.create({ model: 'gpt-4o' } as never)).rejects.toMatchObject({
      status: 400,
      param: 'messages',
    });
    expect((await ask(known)).error).toBeUndefined();
    await strict.stop();
  });

  it('says the same in every run', async () => {
    const again = createLab({ name: 'primary' });
    const { baseURL } = await again.start();
    const first = await client.chat.completions.create({ model: 'gpt-4o', messages });
    const other = new OpenAI({ baseURL, apiKey: KEY, maxRetries: 0 });
    const second = await other.chat.completions.create({ model: 'gpt-4o', messages });
    expect({ ...second, created: 0 }).toEqual({ ...first, created: 0 });
    await again.stop();
  });

  it('starts again on the same port', async () => {
    const port = Number(new URL(lab.baseURL).port);
    await lab.stop();
    await lab.start(port);
    expect((await ask(client)).error).toBeUndefined();
  });
});

describe('what a lab remembers', () => {
  it('is what it was asked, by whom, and how it ended', async () => {
    const headers = { 'x-understudy-attempt': '2' };
    await ask(client, { headers });
    const request = await lab.waitForRequest(({ outcome }) => outcome === 'whole');
    expect(request).toMatchObject({
      number: 1,
      method: 'POST',
      path: '/v1/chat/completions',
      model: 'gpt-4o',
      stream: false,
      key: KEY,
    });
    expect(request.understudy).toEqual(headers);
    expect(request.json()).toMatchObject({ messages });
    expect(request.bodySha256).toBe(createHash('sha256').update(request.body).digest('hex'));
    expect(lab.counters).toMatchObject({
      requests: 1,
      byModel: { 'gpt-4o': 1 },
      byKey: { [KEY]: 1 },
      byOutcome: { whole: 1, open: 0 },
    });
  });

  it('tells a client that went away from an answer that the lab broke off', async () => {
    await lab.setFault({ kind: 'hang' });
    await ask(client, { timeoutMs: 50 });
    await lab.waitForRequest(({ outcome }) => outcome === 'clientGone');
    await lab.setFault({ kind: 'cut', afterChunks: 1, close: 'reset' });
    await ask(client, { stream: true });
    await lab.waitForRequest(({ outcome, fault }) => outcome === 'faulted' && fault === 'cut');
    expect(lab.counters).toMatchObject({ byFault: { hang: 1, cut: 1 }, byOutcome: { clientGone: 1, faulted: 1 } });
  });

  it('is forgotten, with every fault, on reset', async () => {
    await lab.setFault({ kind: 'refuse' });
    await lab.reset();
    expect((await ask(client)).error).toBeUndefined();
    await lab.reset();
    expect(lab.requests).toEqual([]);
    expect(lab.counters.requests).toBe(0);
  });

  it('is not waited for without end', async () => {
    await expect(lab.waitForRequest(() => false, 20)).rejects.toThrow();
  });
});

describe('the control of a lab', () => {
  it('sets, shows and ends a fault by name, with the requests that it is for', async () => {
    const control = createLabControl(lab);
    const address = await control.start();
    const call = async (method: string, path: string, body?: object) => {
      const answer = await fetch(`${address}${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    };
    expect((await call('PUT', '/lab/fault/status-500')).status).toBe(200);
    expect((await ask(client)).error).toMatchObject({ status: 500 });
    await call('PUT', '/lab/fault', { name: 'overloaded', match: { models: ['gpt-4o-mini'] } });
    expect((await ask(client)).error).toBeUndefined();
    expect((await ask(client, { model: 'gpt-4o-mini' })).error).toMatchObject({ status: 503 });
    await call('PUT', '/lab/fault', { fault: { kind: 'reset' } });
    expect((await ask(client)).error).toBeDefined();
    await call('DELETE', '/lab/fault');
    expect((await ask(client)).error).toBeUndefined();
    expect((await call('PUT', '/lab/fault/nonsense')).body).toEqual({
      error: 'there is no fault nonsense: GET /lab/faults lists them',
    });
    expect((await call('GET', '/lab/faults')).body).toContainEqual({ name: 'hang', description: expect.any(String) });
    const requests = (await call('GET', '/lab/requests')).body;
    expect(requests).toMatchObject({ counters: { requests: 5 } });
    expect(JSON.stringify(requests)).not.toContain(KEY);
    expect((await call('GET', '/')).status).toBe(404);
    await control.stop();
  });
});
