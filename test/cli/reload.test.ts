import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import OpenAI from 'openai';
import { createLocalNamespace, KEYS, type LocalNamespace, type LocalRun, routeYaml } from './local-namespace.ts';
import { until } from './until.ts';

let namespace: LocalNamespace;
beforeEach(async () => {
  namespace = await createLocalNamespace();
});
afterEach(() => namespace.stop());

/** Model names that are served now. */
const served = async ({ baseURL }: LocalRun): Promise<string[]> => {
  const models = await new OpenAI({ baseURL, apiKey: 'unused', maxRetries: 0 }).models.list();
  return models.data.map(({ id }) => id).sort();
};

/** Waits for the lines that a change has led to, without those from before. */
const news = (run: LocalRun, before: string, last: RegExp) =>
  until(
    () => run.process.stderr().slice(before.length),
    (text) => last.test(text),
  );

describe('understudy run, when its files change', () => {
  it('takes a good change, and counts the generations of what it changes', async () => {
    const run = await namespace.run();
    expect(await served(run)).toEqual(['gpt-4o']);
    await namespace.write('route.yaml', routeYaml({ models: 'gpt-4o, proposal-writer' }));
    await run.process.waitFor(/took the change of the files/);
    expect(await served(run)).toEqual(['gpt-4o', 'proposal-writer']);
    const route = JSON.parse((await run.get('mroute', 'proposals', '-o', 'json')).stdout);
    expect(route).toMatchObject({ metadata: { generation: 2 }, status: { observedGeneration: 2, proxies: { summary: '1/1' } } });
  });

  it('refuses a bad change with file, line, field and value, goes on with the old one, and recovers once it is mended', async () => {
    const run = await namespace.run();
    const before = run.process.stderr();
    const file = await namespace.write(
      'route.yaml',
      routeYaml({ models: 'gpt-4o, other', extra: '  retries: {maxAttempts: 0}\n' }),
    );
    const refused = await news(run, before, /goes on/);
    expect(refused).toBe(
      `${file}:11: ModelRoute/proposals: spec.retries.maxAttempts: should be greater than or equal to 1 (0)\n` +
        'refused the change of the files: what was served before goes on\n',
    );
    expect(await served(run)).toEqual(['gpt-4o']);

    const again = run.process.stderr();
    await namespace.write('route.yaml', routeYaml({ models: 'mended' }));
    expect(await news(run, again, /took/)).toBe('took the change of the files\n');
    expect(await served(run)).toEqual(['mended']);
  });

  it('names the line of a file that is not YAML any more, and takes a change back to what was served', async () => {
    const run = await namespace.run();
    const before = run.process.stderr();
    const file = await namespace.write('route.yaml', `${routeYaml()}  streaming: {commit: [Complete\n`);
    expect(await news(run, before, /goes on/)).toMatch(new RegExp(`^${file}:12: is not YAML: `));
    const again = run.process.stderr();
    await namespace.write('route.yaml', routeYaml());
    expect(await news(run, again, /took/)).toBe('took the change of the files\n');
    expect(await served(run)).toEqual(['gpt-4o']);
  });

  it('tells a problem that stays only once', async () => {
    const run = await namespace.run();
    await namespace.write('route.yaml', '');
    await run.process.waitFor(/goes on/);
    // Later than several looks at the files, of which each would tell it again.
    await namespace.write('notes.txt', 'no YAML');
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect(run.process.stderr().match(/have no ModelRoute/g)).toHaveLength(1);
    expect(await served(run)).toEqual(['gpt-4o']);
  });

  it('notices an editor that saves by renaming, of a file that is named by itself', async () => {
    const route = join(namespace.directory, 'route.yaml');
    const others = ['endpoints.yaml', 'secrets.yaml'].map((name) => join(namespace.directory, name));
    const run = await namespace.run({ argv: ['--config', route, ...others] });
    for (const models of ['first', 'second', 'third']) {
      await writeFile(`${route}.swap`, routeYaml({ models }));
      await rename(`${route}.swap`, route);
      await until(
        () => served(run),
        (names) => names[0] === models,
      );
    }
  });

  it('uses a new key from the next request on', async () => {
    const run = await namespace.run();
    const ask = () =>
      new OpenAI({ baseURL: run.baseURL, apiKey: 'unused', maxRetries: 0 }).chat.completions.create({
        model: 'gpt-4o',
        messages: [{ role: 'user', content: 'Who is on stage?' }],
      });
    await ask();
    expect(namespace.primary.requests.at(-1)!.key).toBe(KEYS.primary);
    await namespace.write(
      'secrets.yaml',
      'apiVersion: v1\nkind: Secret\nmetadata: {name: primary}\ndata: {apiKey: cm90YXRlZA==}\n',
    );
    await run.process.waitFor(/took the change of the files/);
    await ask();
    expect(namespace.primary.requests.at(-1)!.key).toBe('rotated');
  });
});
