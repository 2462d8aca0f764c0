import { ask } from '../lab/ask.ts';
import { type Stage, startProxy } from './start-proxy.ts';

let stage: Stage;
afterEach(() => stage?.stop());

const askTimes = async (times: number) => {
  for (let index = 0; index < times; index++) expect((await ask(stage.client)).error).toBeUndefined();
};
const counts = () => Object.values(stage.labs).map(({ counters }) => counters.requests);

describe('the order of a chain', () => {
  it('entries with weights share their step, and the next step waits', async () => {
    stage = await startProxy({
      labs: [{ name: 'primary' }, { name: 'secondary' }, { name: 'tertiary' }],
      routes: [
        {
          chain: [
            { lab: 'primary', model: 'a', weight: 3 },
            { lab: 'secondary', model: 'b', weight: 1 },
            { lab: 'tertiary', model: 'c' },
          ],
        },
      ],
    });
    await askTimes(400);
    const [primary, secondary, tertiary] = counts();
    // Six standard deviations of a fair draw around 300 and 100.
    expect(primary).toBeGreaterThan(248);
    expect(primary).toBeLessThan(352);
    expect(primary! + secondary!).toBe(400);
    expect(tertiary).toBe(0);
  });

  it('a step answers as long as one of its entries does', async () => {
    stage = await startProxy({
      labs: [{ name: 'primary' }, { name: 'secondary' }, { name: 'tertiary' }],
      routes: [
        {
          chain: [
            { lab: 'primary', model: 'a', weight: 1 },
            { lab: 'secondary', model: 'b', weight: 1 },
            { lab: 'tertiary', model: 'c' },
          ],
        },
      ],
    });
    await stage.primary.setFault({ kind: 'refuse' });
    await askTimes(20);
    expect(counts()).toEqual([0, 20, 0]);
    await stage.secondary.setFault({ kind: 'refuse' });
    await askTimes(5);
    expect(counts()).toEqual([0, 20, 5]);
  });

  it('regions of an endpoint are asked in their order', async () => {
    stage = await startProxy({
      routes: [
        {
          chain: [
            { lab: 'primary', region: 'east', model: 'a' },
            { lab: 'primary', region: 'west', model: 'a' },
            { lab: 'secondary', model: 'b' },
          ],
        },
      ],
    });
    const targetOf = async () => (await ask(stage.client)).headers?.get('x-understudy-target');
    expect(await targetOf()).toBe('primary/east/a');
    await stage.primary.setFault({ kind: 'hang' }, { paths: ['/east/'] });
    expect(await targetOf()).toBe('primary/west/a');
    await stage.primary.setFault({ kind: 'refuse' });
    expect(await targetOf()).toBe('secondary/lab/b');
  });
});
