import { APIError } from 'openai';
import { ask } from '../lab/ask.ts';
import { sayText } from '../lab/chat-answer.ts';
import { FAULTS, type FaultName, type FaultPreset } from '../lab/faults.ts';
import { seededRandom } from '../lab/seeded-random.ts';
import { type Stage, startProxy } from './start-proxy.ts';

let stage: Stage;
afterEach(() => stage?.stop());

const SEED = 20_261_123;
const CLIENTS = 8;
const REQUESTS = 25;
const MODELS = ['a', 'b', 'c'];
/** Faults of another place in the chain: an error of the request itself is the client's, and TLS is not spoken here. */
const names = (Object.keys(FAULTS) as FaultName[]).filter((name) => {
  const preset: FaultPreset = FAULTS[name];
  const isTheClients = preset.class === 'Request' || (preset.class === 'Capability' && name !== 'model-not-found');
  // A gigantic answer would take the time of all the others.
  return !isTheClients && name !== 'untrusted-certificate' && name !== 'gigantic';
});

it('while a provider fails in one way after another, every answer is whole and of its own model, or its stream ends in an error', async () => {
  stage = await startProxy({
    routes: MODELS.map((model) => ({
      models: [model],
      timeouts: { firstContent: 2_000, response: 2_000, idle: 2_000, total: 20_000 },
      chain: [
        { lab: 'primary', model },
        { lab: 'secondary', model },
      ],
    })),
  });
  const random = seededRandom(SEED);
  const wrong: unknown[] = [];
  const played = new Set<FaultName>();
  let whole = 0;
  let broken = 0;
  const client = async (index: number) => {
    for (let turn = 0; turn < REQUESTS; turn++) {
      const model = MODELS[(index + turn) % MODELS.length]!;
      const stream = random() < 0.5;
      const { text, error, finishReason, headers } = await ask(stage.client, { model, stream });
      const texts = [sayText('primary', model, ''), sayText('secondary', model, '')];
      if (error === undefined && finishReason === 'stop' && texts.includes(text)) whole += 1;
      // Content had gone out: its beginning is right, and its end is an error.
      else if (stream && text !== '' && texts[0]!.startsWith(text) && error instanceof APIError && error.status === undefined)
        broken += 1;
      else wrong.push({ model, stream, text, error: String(error), finishReason, target: headers?.get('x-understudy-target') });
    }
  };
  let over = false;
  const trouble = (async () => {
    while (!over) {
      const name = names[Math.floor(random() * names.length)]!;
      const { fault, match }: FaultPreset = FAULTS[name];
      played.add(name);
      await stage.primary.setFault(fault, match);
      await new Promise((resolve) => setTimeout(resolve, 30));
      // Well for a moment, so that the target is tried again.
      await stage.primary.setFault(undefined);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  await Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)));
  over = true;
  await trouble;
  expect(wrong).toEqual([]);
  expect(whole + broken).toBe(CLIENTS * REQUESTS);
  expect(whole).toBeGreaterThan(0.8 * CLIENTS * REQUESTS);
  expect(played.size).toBeGreaterThan(10);
});
