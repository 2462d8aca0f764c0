import { ask } from '../lab/ask.ts';
import { sayText } from '../lab/chat-answer.ts';
import { configOf, type Stage, startProxy } from './start-proxy.ts';

let stage: Stage;
afterEach(() => stage?.stop());

const SWAPS = 100;
const CLIENTS = 8;

describe('a config that changes', () => {
  it('a hundred times under load fails no request, whole or streamed', async () => {
    stage = await startProxy();
    const failures: unknown[] = [];
    const texts = new Set(['primary', 'secondary'].flatMap((lab) => ['a', 'b'].map((model) => sayText(lab, model, ''))));
    let answered = 0;
    let over = false;
    const orders = [['primary', 'secondary'], ['secondary', 'primary'], ['primary'], ['secondary']];
    const chainOf = (turn: number) => orders[turn % orders.length]!.map((lab) => ({ lab, model: turn % 3 === 0 ? 'a' : 'b' }));
    stage.apply([{ chain: chainOf(0) }]);
    const load = Array.from({ length: CLIENTS }, async (_, client) => {
      while (!over) {
        const { error, text } = await ask(stage.client, { stream: client % 2 === 0 });
        if (error || !texts.has(text)) failures.push(error ?? text);
        else answered += 1;
      }
    });
    for (let turn = 1; turn <= SWAPS; turn++) {
      const { revision } = stage.apply([{ chain: chainOf(turn) }]);
      expect(stage.proxy.report().revision).toBe(revision);
      const seen = answered;
      // Each config serves at least one answer, so that every swap happens under load.
      while (answered === seen) await new Promise((resolve) => setImmediate(resolve));
    }
    over = true;
    await Promise.all(load);
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThanOrEqual(SWAPS);
  });

  it('while a stream runs lets the stream end at the target where it began, even one that is gone from the route', async () => {
    stage = await startProxy();
    await stage.primary.setFault({ kind: 'drip', everyMs: 20 });
    const stream = await stage.client.chat.completions.create({
      model: 'gpt-4o',
      stream: true,
      messages: [{ role: 'user', content: 'Who are you?' }],
    });
    let text = '';
    for await (const chunk of stream) {
      if (text === '') stage.apply([{ chain: [{ lab: 'secondary', model: 'b' }] }]);
      text += chunk.choices[0]?.delta.content ?? '';
    }
    expect(text).toBe(sayText('primary', 'gpt-4o', ''));
    expect((await ask(stage.client)).text).toBe(sayText('secondary', 'b', ''));
  });

  it.each([
    ['nonsense', 'nonsense'],
    ['no version', (good: object) => ({ ...good, version: undefined })],
    ['an unknown field', (good: object) => ({ ...good, surprise: true })],
    ['a target of an endpoint that is not there', (good: object) => ({ ...good, revision: 'dangling', endpoints: [] })],
  ])('for the worse (%s) is refused, and the last good one goes on', async (_, change) => {
    stage = await startProxy();
    const before = stage.proxy.report().revision;
    const good = configOf(stage.labs, [{}]);
    expect(() => stage.proxy.applyConfig(typeof change === 'function' ? change(good) : change)).toThrow();
    expect((await ask(stage.client)).error).toBeUndefined();
    expect(stage.proxy.report()).toMatchObject({ revision: before, refused: { message: expect.any(String) } });
  });

  it('keeps what was learned of the targets that stay', async () => {
    stage = await startProxy();
    await stage.primary.setFault({ kind: 'reset' });
    for (let index = 0; index < 10; index++) await ask(stage.client);
    const healthOf = () => stage.proxy.report().targets.find(({ id }) => id === 'primary/lab/gpt-4o');
    const before = healthOf();
    expect(before).toMatchObject({ health: 'Down' });
    stage.apply([{ models: ['gpt-4o', 'another-name'] }]);
    expect(healthOf()).toMatchObject({ health: 'Down', since: before?.since });
  });
});
