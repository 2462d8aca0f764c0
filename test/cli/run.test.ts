import { connect } from 'node:net';
import OpenAI from 'openai';
import { faultPreset } from '../lab/faults.ts';
import { createLocalNamespace, KEYS, type LocalNamespace, type LocalRun } from './local-namespace.ts';
import { until } from './until.ts';

let namespace: LocalNamespace;
beforeEach(async () => {
  namespace = await createLocalNamespace();
});
afterEach(() => namespace.stop());

const ask = (run: LocalRun, model = 'gpt-4o') =>
  new OpenAI({ baseURL: run.baseURL, apiKey: 'unused', maxRetries: 0 }).chat.completions.create({
    model,
    messages: [{ role: 'user', content: 'Who is on stage?' }],
  });

describe('understudy run', () => {
  it('answers the OpenAI SDK from the first target of the chain, with the key of its Secret', async () => {
    const run = await namespace.run();
    const answer = await ask(run);
    expect(answer.choices[0]!.message.content).toMatch(/^This is primary, answering as model-of-primary/);
    expect(namespace.primary.requests.at(-1)!.key).toBe(KEYS.primary);
    expect(namespace.standby.requests).toHaveLength(0);
  });

  it('goes on answering when the primary breaks, and shows who answers, why, and since when', async () => {
    const run = await namespace.run();
    await ask(run);
    await namespace.primary.setFault(faultPreset('status-500')!.fault);
    const shown = await until(
      async () => {
        const answer = await ask(run);
        expect(answer.choices[0]!.message.content).toMatch(/^This is standby/);
        return (await run.get('modelroutes')).stdout;
      },
      (table) => table.includes('PrimaryDown'),
    );
    const [head, row] = shown.split('\n');
    expect(head).toMatch(/^NAME +ACTIVE +HEALTH +REASON +SINCE +FAILOVERS +PROXIES +AGE$/);
    expect(row).toMatch(/^proposals +standby\/local\/model-of-standby +Healthy +PrimaryDown +\d+s +1 +1\/1 +\d+s$/);
    expect(run.process.stderr()).toContain('route proposals: standby/local/model-of-standby is on stage (PrimaryDown)');

    await namespace.primary.setFault(undefined);
    await until(
      async () => {
        await ask(run);
        return (await run.get('modelroutes')).stdout;
      },
      (table) => /primary\/local\/model-of-primary +Healthy +PrimaryHealthy/.test(table),
    );
    const { status } = JSON.parse((await run.get('modelroute', 'proposals', '-o', 'json')).stdout);
    expect(status).toMatchObject({
      failovers: 1,
      lastFailover: { from: 'primary/local/model-of-primary', to: 'standby/local/model-of-standby', lasted: expect.any(String) },
    });
  });

  it('reads a key that no file has from the environment, and names the variable while it is missing', async () => {
    await namespace.write('secrets.yaml', '');
    const without = await namespace.run();
    expect(without.process.stderr()).toContain('add the Secret, or set UNDERSTUDY_SECRET_PRIMARY_APIKEY');
    const shown = await without.get('providerendpoints', '-o', 'wide');
    expect(shown.stdout).toMatch(/^primary .* SecretMissing /m);
    without.process.signal('SIGTERM');
    await without.process.exit();

    const run = await namespace.run({
      env: { UNDERSTUDY_SECRET_PRIMARY_APIKEY: KEYS.primary, UNDERSTUDY_SECRET_STANDBY_APIKEY: KEYS.standby },
    });
    await ask(run);
    expect(namespace.primary.requests.at(-1)!.key).toBe(KEYS.primary);
  });

  it('serves status and metrics beside health on the admin address, and never a key', async () => {
    const run = await namespace.run({ argv: ['--config', namespace.directory, '--log-level', 'trace'] });
    await ask(run);
    await namespace.primary.setFault(faultPreset('invalid-key')!.fault);
    await ask(run);
    const text = async (path: string) => (await fetch(`${run.admin}${path}`)).text();
    const all = await Promise.all(
      ['/healthz', '/readyz', '/metrics', '/apis/understudy.dev/v1alpha1/namespaces/default/modelroutes'].map(text),
    );
    const everything = [
      ...all,
      await text('/apis/understudy.dev/v1alpha1/providerendpoints'),
      (await run.get('providerendpoints', '-o', 'yaml')).stdout,
      run.process.stdout(),
      run.process.stderr(),
    ].join('\n');
    expect(everything).toContain('"kind":"ModelRouteList"');
    expect(everything).toContain('reason: Refused');
    expect(everything).not.toContain(KEYS.primary);
    expect(everything).not.toContain(KEYS.standby);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('finishes what runs at %s, then leaves nothing behind', async (signal) => {
    const run = await namespace.run();
    await namespace.primary.setFault({ kind: 'drip', everyMs: 100 });
    const client = new OpenAI({ baseURL: run.baseURL, apiKey: 'unused', maxRetries: 0 });
    const stream = await client.chat.completions.create({
      model: 'gpt-4o',
      stream: true,
      messages: [{ role: 'user', content: 'Who is on stage?' }],
    });
    let text = '';
    for await (const chunk of stream) {
      // Sent once the answer has begun: twice, as npm hands on what a terminal has given to the whole group already.
      if (text === '') {
        run.process.signal(signal);
        run.process.signal(signal);
      }
      text += chunk.choices[0]?.delta.content ?? '';
    }
    expect(text).toMatch(/one chunk of a stream\.$/);
    expect(await run.process.exit()).toBe(0);
    for (const url of [run.baseURL, run.admin]) await expect(connects(new URL(url))).resolves.toBe('ECONNREFUSED');
  });
});

function connects({ hostname, port }: URL): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.once('connect', () => {
      socket.destroy();
      resolve('connected');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
}
