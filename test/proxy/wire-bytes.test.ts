import { ask } from '../lab/ask.ts';
import { bodyOf, rawExchange } from '../lab/raw-exchange.ts';
import { APPLICATION_KEY, type Stage, startProxy } from './start-proxy.ts';

let stage: Stage;
afterEach(() => stage?.stop());

const JSON_TYPE = { 'content-type': 'application/json', authorization: `Bearer ${APPLICATION_KEY}` };
const send = (body: string, headers: Record<string, string> = {}) =>
  rawExchange({ port: stage.port, body, headers: { ...JSON_TYPE, ...headers } });
const headOf = (text: string) => text.slice(0, text.indexOf('\r\n\r\n')).toLowerCase();
const received = () => stage.primary.requests.at(-1)!;

/** Written as no serializer would: order, spacing, escapes, repeated and unknown fields, numbers that do not survive a parser. */
const ODD_BODIES = [
  '{"messages":[{"role":"user","content":"hi"}],"model":"writer"}',
  '{ "model" : "writer" ,\n\t"messages": [ {"content":"\\u00e9\\ud83d\\ude00 caf\u00e9","role":"user"} ] }',
  '{"model":"writer","messages":[],"seed":12345678901234567890,"temperature":1.0,"x-unknown":{"model":"writer"},"top_p":1e0}',
  '{"messages":[{"role":"user","content":"a \\"model\\": \\"writer\\" in a text"}],"metadata":{"model":"writer"},"model":"writer"}',
  '{"model":"wri\\u0074er","messages":[]}',
];

describe('what a provider is sent', () => {
  it.each(ODD_BODIES)('is what the client sent, byte for byte, but for the model: %s', async (body) => {
    stage = await startProxy();
    const seen = await send(body);
    expect(seen.text).toMatch(/^HTTP\/1.1 200 /);
    const model = /"model"\s*:\s*"wri(t|\\u0074)er"/g;
    const places = [...body.matchAll(model)];
    const own = places.find(({ index }) => depthAt(body, index) === 1)!;
    const expected =
      body.slice(0, own.index) + own[0].replace(/"wri(t|\\u0074)er"/, '"gpt-4o"') + body.slice(own.index + own[0].length);
    expect(received().body.toString('utf8')).toBe(expected);
    expect(received().headers['content-length']).toBe(String(Buffer.byteLength(expected)));
  });

  it('is the same in a stream, but for what must be asked for usage', async () => {
    stage = await startProxy();
    await send('{"stream":true,"messages":[],"model":"writer","n":1}');
    const sent = received().json() as Record<string, unknown>;
    expect({ ...sent, stream_options: undefined }).toEqual({ stream: true, messages: [], model: 'gpt-4o', n: 1 });
  });

  it.each([
    '{"model":"writer","messages":[],"model":"not-of-this-route"}',
    '{"model":"writer","messages":[],"mod\\u0065l":"not-of-this-route"}',
    '{"model":"not-of-this-route","messages":[],"model":"writer"}',
  ])('never asks for a model that the route does not name, however the request is written: %s', async (body) => {
    stage = await startProxy();
    const seen = await send(body);
    expect(seen.text).toMatch(/^HTTP\/1.1 (200|400|404) /);
    for (const { model } of stage.primary.requests) expect(model).toBe('gpt-4o');
  });

  it('is found in a request that is nested without end', async () => {
    stage = await startProxy();
    const depth = 200_000;
    const seen = await send(`{"messages":${'['.repeat(depth)}${']'.repeat(depth)},"model":"writer"}`);
    expect(seen.text).toMatch(/^HTTP\/1.1 (200|400) /);
    expect((await ask(stage.client)).error).toBeUndefined();
  });

  it('goes to the fallback with the model of the fallback, and otherwise the same', async () => {
    stage = await startProxy();
    await stage.primary.setFault({ kind: 'hang' });
    await send(ODD_BODIES[0]!);
    expect(stage.secondary.requests[0]?.body.toString()).toBe(ODD_BODIES[0]!.replace('writer', 'secondary-model'));
  });

  it('carries no header that is not meant for it', async () => {
    stage = await startProxy();
    await send(ODD_BODIES[0]!, {
      cookie: 'session=1',
      'x-forwarded-for': '10.0.0.1',
      'x-understudy-anything': '1',
      'openai-organization': 'org-of-the-application',
      te: 'trailers',
    });
    const names = Object.keys(received().headers);
    for (const name of ['cookie', 'x-forwarded-for', 'openai-organization', 'te', 'proxy-authorization'])
      expect(names).not.toContain(name);
    expect(received().headers['accept-encoding'] ?? 'identity').toBe('identity');
    expect(received().headers['content-type']).toContain('application/json');
    expect(received().headers.host).toBe(new URL(stage.primary.baseURL).host);
  });
});

describe('what a client is sent', () => {
  it.each([
    '{"model":"writer","messages":[]}',
    '{"model":"writer","messages":[],"stream":true,"stream_options":{"include_usage":true}}',
  ])("is the provider's answer, byte for byte: %s", async (body) => {
    stage = await startProxy();
    const through = await send(body);
    const direct = await rawExchange({
      port: Number(new URL(stage.primary.baseURL).port),
      body: body.replace('writer', 'gpt-4o'),
      headers: JSON_TYPE,
    });
    // The second answer of the lab differs in its number, and perhaps in its second.
    const same = (text: string) => text.replace(/chatcmpl-primary\d+/g, 'ID').replace(/"created": ?\d+/g, 'CREATED');
    expect(same(bodyOf(through))).toBe(same(bodyOf(direct)));
    expect(bodyOf(through).length).toBeGreaterThan(100);
  });

  it('has no usage in a stream that did not ask for it', async () => {
    stage = await startProxy();
    const seen = bodyOf(await send('{"model":"writer","messages":[],"stream":true}'));
    expect(seen).toContain('[DONE]');
    expect(seen).not.toContain('"choices":[],');
  });

  it("names target, attempts and route, and keeps the provider's request id and limits", async () => {
    stage = await startProxy({ routes: [{ name: 'proposals' }] });
    for (const stream of [false, true]) {
      const head = headOf((await send(JSON.stringify({ model: 'writer', messages: [], stream }))).text);
      expect(head).toContain('\r\nx-understudy-target: primary/lab/gpt-4o');
      expect(head).toContain('\r\nx-understudy-attempts: 1');
      expect(head).toContain('\r\nx-understudy-route: proposals');
      expect(head).toContain('\r\nx-request-id: req_primary');
      expect(head).toContain('\r\nx-ratelimit-remaining-requests: 499');
      expect(head).toContain(stream ? '\r\ncontent-type: text/event-stream' : '\r\ncontent-type: application/json');
      expect(head.match(/\r\n(content-length|transfer-encoding):/g)).toHaveLength(1);
    }
  });

  it('has the model that answered in its body', async () => {
    stage = await startProxy();
    await stage.primary.setFault({ kind: 'refuse' });
    for (const stream of [false, true]) expect((await ask(stage.client, { stream })).model).toContain('secondary-model');
  });

  it('comes as it is made: the first words of a stream before its end', async () => {
    stage = await startProxy();
    await stage.primary.setFault({ kind: 'stall', afterChunks: 3 });
    const stream = await stage.client.chat.completions.create({
      model: 'gpt-4o',
      stream: true,
      messages: [{ role: 'user', content: 'Who are you?' }],
    });
    let words = '';
    for await (const chunk of stream) {
      words += chunk.choices[0]?.delta.content ?? '';
      if (words === 'This is primary,') break;
    }
    expect(words).toBe('This is primary,');
  });
});

/** How many braces and brackets are open at this place, texts left out. */
function depthAt(json: string, at: number): number {
  const before = json.slice(0, at).replace(/"(\\.|[^"\\])*"/g, '');
  return (before.match(/[[{]/g)?.length ?? 0) - (before.match(/[\]}]/g)?.length ?? 0);
}
