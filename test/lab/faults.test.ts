import OpenAI from 'openai';
import { type Asked, ask } from './ask.ts';
import { sayText } from './chat-answer.ts';
import { FAULTS, type FaultName, type FaultPreset } from './faults.ts';
import { createLab, type Lab } from './lab.ts';
import { bodyOf, endsCleanly, type RawExchange, rawExchange } from './raw-exchange.ts';

const WHOLE = sayText('primary', 'gpt-4o', '');
const FIRST_THREE = 'This is primary,';
const KEY = 'sk-lab-key-1';
/** Long enough for any answer that comes at all on a busy machine, short enough to wait for one that never comes. */
const QUIET_MS = 400;
const names = Object.keys(FAULTS) as FaultName[];
const preset = (name: FaultName): FaultPreset => FAULTS[name];
/** A TLS lab plays it: it has a test of its own. */
const plain = names.filter((name) => name !== 'untrusted-certificate');
const everyPlain = plain.flatMap((name) => [
  { name, way: 'unary' as const },
  { name, way: 'stream' as const },
]);

let lab: Lab;
let port: number;

beforeEach(async () => {
  lab = createLab({ name: 'primary', seed: 3 });
  port = Number(new URL((await lab.start()).baseURL).port);
});
afterEach(() => lab.stop());

async function play(name: FaultName): Promise<void> {
  const { fault, match } = preset(name);
  // A quarter of the requests is not a thing to see in one request.
  await lab.setFault(fault.kind === 'gigantic' ? { ...fault, bytes: 1_000_000 } : fault, match?.rate ? undefined : match);
}

function look(stream: boolean, quietMs = QUIET_MS): Promise<RawExchange> {
  const body = JSON.stringify({ model: 'gpt-4o', stream, messages: [{ role: 'user', content: 'Who are you?' }] });
  return rawExchange({ port, body, quietMs, headers: { authorization: `Bearer ${KEY}` } });
}

describe('what the official SDK sees of a fault', () => {
  it.each(everyPlain)('$name, $way, does the damage that its preset names', async ({ name, way }) => {
    await play(name);
    const client = new OpenAI({ baseURL: lab.baseURL, apiKey: KEY, maxRetries: 0, logLevel: 'off' });
    const damage = preset(name)[way];
    const timeoutMs = damage === 'none' ? 20_000 : QUIET_MS;
    const seen = await ask(client, { stream: way === 'stream', timeoutMs });
    check(seen, damage);
  });
});

function check(seen: Asked, damage: 'none' | 'answer' | 'midway'): void {
  switch (damage) {
    case 'none':
      expect(seen).toMatchObject({ text: WHOLE, finishReason: 'stop', error: undefined });
      break;
    case 'answer':
      expect(seen).toMatchObject({ text: '', chunks: 0 });
      break;
    case 'midway':
      expect(seen).toMatchObject({ text: FIRST_THREE, chunks: 3, finishReason: undefined });
  }
}

interface Wire {
  ended: RawExchange['ended'];
  has?: string;
  lacks?: string;
}
const OPEN: Wire = { ended: 'open', has: 'HTTP/1.1 200 OK' };
const CUT = { has: ' primary,', lacks: 'answering' } as const;

/** Kinds whose way to fail lies below HTTP, or in how a message ends. */
const WIRES: { name: FaultName; unary: Wire; stream: Wire }[] = [
  { name: 'refuse', unary: { ended: 'refused' }, stream: { ended: 'refused' } },
  { name: 'reset-connection', unary: { ended: 'reset' }, stream: { ended: 'reset' } },
  { name: 'garbage', unary: { ended: 'end', has: 'SSH-2.0', lacks: 'HTTP' }, stream: { ended: 'end', has: 'SSH-2.0' } },
  { name: 'hang-connection', unary: { ended: 'open', lacks: 'HTTP' }, stream: { ended: 'open', lacks: 'HTTP' } },
  { name: 'reset', unary: { ended: 'reset', lacks: 'HTTP' }, stream: { ended: 'reset', lacks: 'HTTP' } },
  { name: 'hang', unary: { ended: 'open', lacks: 'HTTP' }, stream: { ended: 'open', lacks: 'HTTP' } },
  { name: 'headers-then-nothing', unary: { ...OPEN, lacks: 'model' }, stream: { ...OPEN, lacks: 'data:' } },
  { name: 'pings-then-nothing', unary: { ...OPEN, lacks: 'model' }, stream: { ...OPEN, has: ': keep-alive', lacks: 'data:' } },
  {
    name: 'role-only',
    unary: { ...OPEN, lacks: 'model' },
    stream: { ...OPEN, has: '"role":"assistant"', lacks: '"content":"This' },
  },
  { name: 'slow-first-token', unary: { ended: 'open', lacks: 'HTTP' }, stream: { ...OPEN, lacks: '"content":"This' } },
  { name: 'stall', unary: { ...OPEN, has: '"model"', lacks: '"usage"' }, stream: { ended: 'open', ...CUT } },
  { name: 'cut-clean', unary: { ended: 'end', lacks: '"usage"' }, stream: { ended: 'end', ...CUT } },
  { name: 'cut-close', unary: { ended: 'end', lacks: '"usage"' }, stream: { ended: 'end', ...CUT } },
  { name: 'cut-reset', unary: { ended: 'reset', lacks: '"usage"' }, stream: { ended: 'reset', ...CUT } },
  { name: 'missing-done', unary: { ended: 'end' }, stream: { ended: 'end', has: '"finish_reason":"stop"', lacks: '[DONE]' } },
  {
    name: 'error-first-event',
    unary: { ended: 'end', has: '200 OK' },
    stream: { ended: 'end', has: 'data: {"error"', lacks: 'role' },
  },
  { name: 'error-event', unary: { ended: 'end' }, stream: { ended: 'end', has: 'data: {"error"', lacks: '[DONE]' } },
  { name: 'error-event-then-done', unary: { ended: 'end' }, stream: { ended: 'end', has: 'EngineDeadError', lacks: '"stop"' } },
  { name: 'gzip', unary: { ended: 'end', has: 'content-encoding: gzip' }, stream: { ended: 'end', lacks: 'data:' } },
  { name: 'pings-then-answer', unary: { ended: 'end', has: '"model"' }, stream: { ended: 'end', has: ': keep-alive\n\n' } },
  { name: 'crlf', unary: { ended: 'end' }, stream: { ended: 'end', has: 'data: [DONE]\r\n\r\n' } },
  { name: 'rate-limit', unary: { ended: 'end', has: 'retry-after: 1\r\n' }, stream: { ended: 'end', has: '429' } },
  { name: 'rate-limit-ms', unary: { ended: 'end', has: 'retry-after-ms: 300\r\n' }, stream: { ended: 'end', has: '429' } },
  {
    name: 'retry-after-on-success',
    unary: { ended: 'end', has: '200 OK' },
    stream: { ended: 'end', has: 'retry-after: 30\r\n' },
  },
  { name: 'status-524', unary: { ended: 'end', has: '<!DOCTYPE html>' }, stream: { ended: 'end', has: '524' } },
  { name: 'invalid-key', unary: { ended: 'end', has: KEY }, stream: { ended: 'end', has: KEY } },
  { name: 'empty-body', unary: { ended: 'end', has: 'content-length: 0' }, stream: { ended: 'end', lacks: 'data:' } },
];

describe('what the wire shows of a fault', () => {
  it.each(
    WIRES.flatMap(({ name, unary, stream }) => [
      { name, way: 'unary', wire: unary },
      { name, way: 'stream', wire: stream },
    ]),
  )('$name, $way', async ({ name, way, wire }) => {
    await play(name);
    const seen = await look(way === 'stream', wire.ended === 'open' ? QUIET_MS : 10_000);
    expect(seen.ended).toBe(wire.ended);
    if (wire.has) expect(seen.text).toContain(wire.has);
    if (wire.lacks) expect(seen.text).not.toContain(wire.lacks);
  });

  it('a clean cut ends the message, and the other cuts do not', async () => {
    await play('cut-clean');
    expect(endsCleanly(await look(true))).toBe(true);
    await play('cut-close');
    expect(endsCleanly(await look(true))).toBe(false);
  });

  it('a truncated body promises what it holds, or the whole', async () => {
    const promised = (seen: RawExchange) => Number(/content-length: (\d+)/.exec(seen.text)?.[1]);
    await play('truncated-body');
    const right = await look(false);
    expect(bodyOf(right)).toHaveLength(promised(right));
    await play('truncated-body-wrong-length');
    const wrong = await look(false);
    expect(bodyOf(wrong).length).toBeLessThan(promised(wrong));
    expect(() => JSON.parse(bodyOf(wrong))).toThrow();
  });

  it('keep-alives go on until the client goes, and the lab sees it go', async () => {
    await lab.setFault({ kind: 'pingsForever', everyMs: 5 });
    const seen = await rawExchange({ port, maxBytes: 1_500, body: '{"model":"gpt-4o","stream":true,"messages":[]}' });
    expect(seen.text.split(': keep-alive').length).toBeGreaterThan(20);
    await lab.waitForRequest(({ outcome }) => outcome === 'clientGone');
  });

  it('fragments cut lines and characters, and one packet is one', async () => {
    const packets = async (name: FaultName) => {
      await play(name);
      const { text } = await look(true);
      return [...text.matchAll(/(?:^|\r\n)([0-9a-f]+)\r\n/g)].map(([, size]) => Number.parseInt(size!, 16)).filter(Boolean);
    };
    const small = await packets('fragments');
    expect(small.length).toBeGreaterThan(50);
    expect(Math.max(...small)).toBe(61);
    expect(await packets('one-packet')).toHaveLength(1);
  });

  it('something gigantic is as large as it says', async () => {
    await lab.setFault({ kind: 'gigantic', bytes: 3_000_000 });
    const seen = await look(true);
    expect(bodyOf(seen).length).toBeGreaterThan(3_000_000);
  });

  it('an untrusted certificate is refused, and the trusted one accepted, on the same port', async () => {
    const secure = createLab({ name: 'secure', tls: true });
    const { baseURL } = await secure.start();
    const question = { port: Number(new URL(baseURL).port), method: 'GET', path: '/v1/models', ca: secure.ca! };
    expect((await rawExchange(question)).text).toContain('gpt-4o');
    await secure.setFault({ kind: 'untrustedCertificate' });
    expect(await rawExchange(question)).toEqual({ text: '', ended: 'reset' });
    await secure.setFault({ kind: 'reset' });
    expect(await rawExchange(question)).toEqual({ text: '', ended: 'reset' });
    await secure.setFault(undefined);
    expect((await rawExchange(question)).text).toContain('gpt-4o');
    await secure.stop();
  });
});

describe('which requests a fault is for', () => {
  const status = async (model: string, { stream = false, key = KEY, path = '/v1/chat/completions' } = {}) => {
    const body = JSON.stringify({ model, stream, messages: [] });
    const { text } = await rawExchange({ port, path, body, headers: { authorization: `Bearer ${key}` } });
    return Number(text.split(' ')[1]);
  };
  const broken = FAULTS['status-500'].fault;

  it('one model', async () => {
    await lab.setFault(broken, { models: ['gpt-4o'] });
    expect([await status('gpt-4o'), await status('gpt-4o-mini')]).toEqual([500, 200]);
  });

  it('one key', async () => {
    await lab.setFault(broken, { keys: ['sk-old'] });
    expect([await status('gpt-4o', { key: 'sk-old' }), await status('gpt-4o', { key: 'sk-new' })]).toEqual([500, 200]);
  });

  it('one path', async () => {
    await lab.setFault(broken, { paths: ['/east/'] });
    const at = (region: string) => status('gpt-4o', { path: `/${region}/v1/chat/completions` });
    expect([await at('east'), await at('west')]).toEqual([500, 200]);
  });

  it('streams only, or unary only', async () => {
    await lab.setFault(broken, { only: 'stream' });
    expect([await status('gpt-4o', { stream: true }), await status('gpt-4o')]).toEqual([500, 200]);
    await lab.setFault(broken, { only: 'unary' });
    expect([await status('gpt-4o', { stream: true }), await status('gpt-4o')]).toEqual([200, 500]);
  });

  it('the first two', async () => {
    await lab.setFault(broken, { first: 2 });
    expect([await status('a'), await status('a'), await status('a')]).toEqual([500, 500, 200]);
  });

  it('a part of them, the same part for the same seed', async () => {
    const { fault, match } = preset('error-rate-25');
    const run = async () => {
      const other = createLab({ name: 'dice', seed: 11 });
      port = Number(new URL((await other.start()).baseURL).port);
      await other.setFault(fault, match);
      const seen: number[] = [];
      for (let index = 0; index < 80; index++) seen.push(await status('a'));
      await other.stop();
      return seen;
    };
    const first = await run();
    const failures = first.filter((code) => code === 500).length;
    expect(failures).toBeGreaterThan(8);
    expect(failures).toBeLessThan(32);
    expect(await run()).toEqual(first);
  });

  it('the first of several faults that matches', async () => {
    await lab.setFault(broken, { models: ['a'] });
    await lab.addFault(FAULTS.overloaded.fault, { models: ['a', 'b'] });
    expect([await status('a'), await status('b'), await status('c')]).toEqual([500, 503, 200]);
  });

  it('a fault of the connection can not be for some requests only', async () => {
    await expect(lab.setFault({ kind: 'refuse' }, { models: ['a'] })).rejects.toThrow("can't be limited to some requests");
  });

  it('a lab without TLS has no certificate to distrust', async () => {
    await expect(lab.setFault({ kind: 'untrustedCertificate' })).rejects.toThrow('start it with TLS');
  });

  it('a fault ends when it is taken back, whatever it was', async () => {
    for (const name of plain) {
      await play(name);
      await lab.setFault(undefined);
      expect([name, await status('gpt-4o')]).toEqual([name, 200]);
    }
  });
});
