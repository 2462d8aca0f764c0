import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { APIError } from 'openai';
import { type Asked, ask } from '../lab/ask.ts';
import { sayText } from '../lab/chat-answer.ts';
import { FAULTS, type FaultName, type FaultPreset } from '../lab/faults.ts';
import { bodyOf, rawExchange } from '../lab/raw-exchange.ts';
import { modelOf, type Stage, startProxy } from './start-proxy.ts';

const PRIMARY = sayText('primary', modelOf('primary'), '');
const SECONDARY = sayText('secondary', modelOf('secondary'), '');
const FIRST_THREE = 'This is primary,';
const names = Object.keys(FAULTS) as FaultName[];
const preset = (name: FaultName): FaultPreset => FAULTS[name];
const everyFault = names.flatMap((name) => [
  { name, way: 'unary' as const },
  { name, way: 'stream' as const },
]);
/** Tested by itself: a lab that speaks TLS. */
const plain = everyFault.filter(({ name }) => name !== 'untrusted-certificate');

let stage: Stage;
afterEach(() => stage?.stop());

async function play(name: FaultName): Promise<void> {
  const { fault, match } = preset(name);
  // All of the requests, for a rate is nothing to see in one.
  await stage.primary.setFault(fault, match?.rate === undefined ? match : undefined);
}

describe('whatever the primary does before the first content, the client has a whole answer or an honest error', () => {
  it.each(plain)('$name, $way', async ({ name, way }) => {
    stage = await startProxy();
    await play(name);
    const seen = await ask(stage.client, { stream: way === 'stream' });
    const damage = preset(name)[way];
    // Nobody asked for compression: to undo it and to ask another target are both right.
    if (name === 'gzip') expect([PRIMARY, SECONDARY]).toContain(seen.text);
    else if (damage === 'none') expectAnswerOf('primary', PRIMARY, seen, [1]);
    else if (damage === 'midway') expectBroken(seen);
    else if (isTheClientsOwn(name)) expectProvidersError(name, seen);
    else expectAnswerOf('secondary', SECONDARY, seen, attemptsAt(name));
  });
});

function expectAnswerOf(lab: string, text: string, seen: Asked, attempts: number[]): void {
  expect(seen).toMatchObject({ text, finishReason: 'stop', error: undefined });
  expect(seen.model).toContain(modelOf(lab));
  expect(seen.headers?.get('x-understudy-target')).toBe(`${lab}/lab/${modelOf(lab)}`);
  expect(attempts).toContain(Number(seen.headers?.get('x-understudy-attempts')));
}

function expectBroken(seen: Asked): void {
  expect(seen).toMatchObject({ text: FIRST_THREE, chunks: 3, finishReason: undefined });
  expect(seen.error).toBeInstanceOf(APIError);
  expect(stage.secondary.requests).toEqual([]);
}

function expectProvidersError(name: FaultName, seen: Asked): void {
  const { fault } = preset(name);
  if (fault.kind !== 'status') throw new Error(`${name} has no status to look for`);
  const { code } = JSON.parse(fault.body).error;
  expect(seen.error).toMatchObject({ status: fault.status, code });
  expect(stage.primary.requests).toHaveLength(1);
  expect(stage.secondary.requests).toEqual([]);
}

/**
 * What is wrong with the request is wrong at every target: asking on would cost money, and answer another question. A model that one
 * provider does not have is the next target's affair.
 */
function isTheClientsOwn(name: FaultName): boolean {
  const { class: faultClass } = preset(name);
  return faultClass === 'Request' || (faultClass === 'Capability' && name !== 'model-not-found');
}

/** One at the fallback, and one or two at the primary: silence and 4xx are never asked again, a single 5xx or reset is. */
function attemptsAt(name: FaultName): number[] {
  const { fault, class: faultClass } = preset(name);
  switch (faultClass) {
    case 'Stall':
    case 'RateLimit':
    case 'Account':
    case 'Capability':
      return [2];
    default:
      if (fault.kind === 'status' && fault.status >= 500) return [3];
      if (fault.kind === 'reset' || fault.kind === 'resetConnection') return [3];
      return fault.kind === 'status' && fault.status >= 400 ? [2] : [2, 3];
  }
}

describe('after the first content, a failure is told on the wire', () => {
  const midway = names.filter((name) => preset(name).stream === 'midway');

  it.each(midway)('%s ends in an error event and never in [DONE]', async (name) => {
    stage = await startProxy();
    await play(name);
    const body = JSON.stringify({ model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: 'Who are you?' }] });
    const seen = await rawExchange({ port: stage.port, body, headers: { 'content-type': 'application/json' } });
    const events = bodyOf(seen).trimEnd().split('\n\n');
    expect(bodyOf(seen)).toContain(' primary,');
    expect(bodyOf(seen)).not.toContain('[DONE]');
    expect(JSON.parse(events.at(-1)!.replace(/^data: /, '')).error).toMatchObject({
      message: expect.any(String),
      type: expect.any(String),
    });
    expect(seen.ended).toBe('end');
  });

  it.each(midway)('%s is answered by the next target where the route commits to complete answers only', async (name) => {
    stage = await startProxy({ routes: [{ streaming: { commit: 'Complete', afterCommit: 'Error' } }] });
    await play(name);
    const seen = await ask(stage.client, { stream: true });
    expectAnswerOf('secondary', SECONDARY, seen, [2, 3]);
  });
});

describe('a provider over TLS', () => {
  it('is left for the next target when its certificate is not to be trusted', async () => {
    stage = await startProxy({ labs: [{ name: 'primary', tls: true }, { name: 'secondary' }] });
    for (const stream of [false, true]) {
      const seen = await ask(stage.client, { stream });
      expectAnswerOf('secondary', SECONDARY, seen, [2, 3]);
    }
    expect(stage.primary.requests).toEqual([]);
  });

  it('answers when its certificate is trusted, and is left when it is so no more', async () => {
    stage = await startProxy({ labs: [{ name: 'primary', tls: true }, { name: 'secondary' }] });
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, stage.primary.ca!]);
    try {
      expectAnswerOf('primary', PRIMARY, await ask(stage.client), [1]);
      expectAnswerOf('primary', PRIMARY, await ask(stage.client, { stream: true }), [1]);
      for (const kind of ['untrustedCertificate', 'garbage'] as const) {
        await stage.primary.setFault({ kind });
        expectAnswerOf('secondary', SECONDARY, await ask(stage.client), [2, 3]);
      }
    } finally {
      setDefaultCACertificates(before);
    }
  });
});
