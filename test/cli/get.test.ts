import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { load } from 'js-yaml';
import OpenAI from 'openai';
import { freePort } from '../control-plane/free-port.ts';
import { createLocalNamespace, type LocalNamespace, type LocalRun } from './local-namespace.ts';
import { endProcesses, startUnderstudy, understudy } from './understudy-process.ts';
import { until } from './until.ts';

let namespace: LocalNamespace;
let run: LocalRun;
beforeAll(async () => {
  namespace = await createLocalNamespace();
  run = await namespace.run();
  const client = new OpenAI({ baseURL: run.baseURL, apiKey: 'unused', maxRetries: 0 });
  await client.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Who is on stage?' }] });
});
afterAll(() => namespace.stop());

describe('understudy get', () => {
  it.each(['modelroutes', 'modelroute', 'mroute', 'ModelRoutes', 'modelroutes.understudy.dev'])(
    'shows routes as kubectl would, asked for %s',
    async (kind) => {
      const { code, stdout, stderr } = await run.get(kind);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const [head, row, ...rest] = stdout.split('\n');
      expect(head).toBe(
        'NAME        ACTIVE                           HEALTH    REASON           SINCE   FAILOVERS   PROXIES   AGE',
      );
      expect(row).toMatch(
        /^proposals {3}primary\/local\/model-of-primary {3}Healthy {3}PrimaryHealthy {3}\d+s {5,6}0 {11}1\/1 {7}\d+s$/,
      );
      expect(rest).toEqual(['']);
    },
  );

  it.each(['providerendpoints', 'providerendpoint', 'pep'])('shows endpoints asked for %s', async (kind) => {
    const { stdout } = await run.get(kind);
    const [head, primary, standby] = stdout.split('\n');
    expect(head).toMatch(/^NAME +PROVIDER +HEALTH +REASON +SINCE +AGE$/);
    expect(primary).toMatch(/^primary +OpenAICompatible +Healthy +WithinBaseline +\d+s +\d+s$/);
    expect(standby).toMatch(/^standby +OpenAICompatible +Unknown +NoSignal +\d+s +\d+s$/);
  });

  it('shows more columns with -o wide, and both kinds with a comma', async () => {
    const { stdout } = await run.get('mroute,pep', '-o', 'wide');
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^NAME .* AGE +MODELS +LAST-FAILOVER +TO +EVIDENCE$/);
    expect(lines[1]).toMatch(/^modelroute\.understudy\.dev\/proposals .* \["gpt-4o"\]/);
    expect(lines[2]).toBe('');
    expect(lines[4]).toMatch(/^providerendpoint\.understudy\.dev\/primary .* CredentialsResolved +local/);
  });

  it('prints one object, or a List of all, as YAML and as JSON', async () => {
    const one = load((await run.get('modelroute', 'proposals', '-o', 'yaml')).stdout) as Record<string, unknown>;
    expect(one).toMatchObject({
      apiVersion: 'understudy.dev/v1alpha1',
      kind: 'ModelRoute',
      metadata: { name: 'proposals', namespace: 'default', generation: 1 },
      spec: { models: ['gpt-4o'], retries: { maxAttempts: 4 } },
      status: { active: 'primary/local/model-of-primary', reason: 'PrimaryHealthy' },
    });
    const all = JSON.parse((await run.get('pep', '-o', 'json')).stdout);
    expect(all).toMatchObject({ kind: 'List', items: [{ metadata: { name: 'primary' } }, { metadata: { name: 'standby' } }] });
    const { status, metadata, ...rest } = one;
    expect(Object.keys(rest)).toEqual(['apiVersion', 'kind', 'spec']);
  });

  it('follows with -w: a line for each piece of news, and none for the passing of time', async () => {
    const watch = startUnderstudy(['get', 'modelroutes', '-w', '--admin', run.admin]);
    await watch.waitFor(/proposals .*PrimaryHealthy/);
    await namespace.primary.setFault({ kind: 'reset' });
    const client = new OpenAI({ baseURL: run.baseURL, apiKey: 'unused', maxRetries: 0 });
    await until(
      async () => {
        await client.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Who is on stage?' }] });
        return watch.stdout();
      },
      (text) => text.includes('PrimaryDown'),
    );
    await namespace.primary.setFault(undefined);
    watch.signal('SIGINT');
    expect(await watch.exit()).toBe(0);
    const lines = watch.stdout().trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('NAME'))).toHaveLength(1);
    const rows = lines.slice(1).map((line) => line.replace(/\d+m?\d*s|\d+m/g, ''));
    expect(rows.filter((row, index) => row === rows[index - 1])).toEqual([]);
  });

  it('says what is there when a name is not', async () => {
    expect(await run.get('modelroute', 'nope')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'understudy: modelroutes.understudy.dev "nope" is not there; there is proposals\n',
    });
  });
});

describe('understudy get, without understudy run', () => {
  afterEach(() => endProcesses());

  it('says that nothing listens, and what to start', async () => {
    const origin = `http://127.0.0.1:${await freePort()}`;
    const { code, stderr } = await understudy(['get', 'modelroutes', '--admin', origin]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `understudy: nothing listens on ${origin}: start "understudy run --config DIR", or give its admin address with --admin (in a cluster use kubectl)\n`,
    );
  });

  it('says that something else listens', async () => {
    const server = createServer((_request, response) => response.writeHead(404).end('nothing here')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const { code, stderr } = await understudy(['get', 'modelroutes', '--admin', origin]);
      expect(code).toBe(1);
      expect(stderr).toBe(
        `understudy: what listens on ${origin} does not know modelroutes (HTTP 404): give the admin address of "understudy run" with --admin\n`,
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
