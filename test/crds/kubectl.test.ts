import { join } from 'node:path';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';
import { installDefinitions } from './install-definitions.ts';
import { endpoint, route } from './resource-cases.ts';

const SINCE = '2026-11-23T10:00:00Z';

const routeStatus = {
  active: 'openai/us-east/gpt-4o',
  health: 'Healthy',
  reason: 'PrimaryHealthy',
  since: SINCE,
  failovers: 3,
  proxies: { ready: 2, programmed: 2, revision: '9f3c2a17', summary: '2/2' },
  lastFailover: {
    time: SINCE,
    from: 'openai/us-east/gpt-4o',
    to: 'anthropic/global/claude-sonnet-4-5',
    reason: 'ErrorRate',
    evidence: '7 of 20 requests 503 in 4s',
  },
};

const endpointStatus = {
  health: 'Degraded',
  reason: 'ErrorRate',
  since: SINCE,
  conditions: [
    { type: 'CredentialsResolved', status: 'False', reason: 'SecretMissing', message: 'no Secret', lastTransitionTime: SINCE },
  ],
  regions: [
    { name: 'us', health: 'Degraded', reason: 'ErrorRate', probe: { outcome: 'Failed' } },
    { name: 'eu', health: 'Healthy', reason: 'WithinBaseline', probe: { outcome: 'Succeeded' } },
  ],
};

const regions = [
  { name: 'us', baseURL: 'http://us.example/v1' },
  { name: 'eu', baseURL: 'http://eu.example/v1' },
];

describe('what kubectl shows', () => {
  let controlPlane: ControlPlane;
  beforeAll(async () => {
    controlPlane = await startControlPlane();
    await installDefinitions(controlPlane, join(import.meta.dirname, '../../manifests/crds.yaml'));
    await kubectl(['create', '-f', '-'], route({ models: ['gpt-4o', 'proposal-writer'] }));
    await kubectl(['create', '-f', '-'], endpoint({ regions, probe: {} }));
    await kubectl([
      'patch',
      'mroute',
      'proposals',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status: routeStatus }),
    ]);
    await kubectl([
      'patch',
      'pep',
      'vllm',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status: endpointStatus }),
    ]);
  }, 180_000);
  afterAll(() => controlPlane.stop());

  async function kubectl(args: string[], stdin?: object): Promise<string> {
    const { code, stdout, stderr } = await controlPlane.kubectl(
      args,
      stdin === undefined ? {} : { stdin: JSON.stringify(stdin) },
    );
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** Cells, with what depends on the time of day replaced. */
  const table = (text: string) =>
    text
      .trim()
      .split('\n')
      .map((line) => line.split(/ {2,}/).map((cell) => (/^(\d+[smhdy])+$/.test(cell) ? 'AGE' : cell)));

  it('tells of a route who answers, why, and since when', async () => {
    expect(table(await kubectl(['get', 'modelroutes']))).toEqual([
      ['NAME', 'ACTIVE', 'HEALTH', 'REASON', 'SINCE', 'FAILOVERS', 'PROXIES', 'AGE'],
      ['proposals', 'openai/us-east/gpt-4o', 'Healthy', 'PrimaryHealthy', 'AGE', '3', '2/2', 'AGE'],
    ]);
  });

  it('tells more of a route when asked for more', async () => {
    const [header, row] = table(await kubectl(['get', 'mroute', '-o', 'wide']));
    expect(header!.slice(8)).toEqual(['MODELS', 'LAST-FAILOVER', 'TO', 'EVIDENCE']);
    expect(row!.slice(8)).toEqual([
      '["gpt-4o","proposal-writer"]',
      'ErrorRate',
      'anthropic/global/claude-sonnet-4-5',
      '7 of 20 requests 503 in 4s',
    ]);
  });

  it('tells of an endpoint what it can still do', async () => {
    expect(table(await kubectl(['get', 'providerendpoints', '-o', 'wide']))).toEqual([
      ['NAME', 'PROVIDER', 'HEALTH', 'REASON', 'SINCE', 'AGE', 'CREDENTIALS', 'FIRST-REGION', 'FIRST-PROBE'],
      ['vllm', 'OpenAICompatible', 'Degraded', 'ErrorRate', 'AGE', 'AGE', 'SecretMissing', 'us', 'Failed'],
    ]);
  });

  it('shows both kinds under one category, and by their full and short names', async () => {
    expect(await kubectl(['get', 'understudy', '-o', 'name'])).toBe(
      'modelroute.understudy.dev/proposals\nproviderendpoint.understudy.dev/vllm\n',
    );
    expect(await kubectl(['get', 'modelroutes.understudy.dev,pep', '-o', 'name'])).toBe(
      'modelroute.understudy.dev/proposals\nproviderendpoint.understudy.dev/vllm\n',
    );
  });

  it('shows the defaults of everything that was left out', async () => {
    const { spec } = JSON.parse(await kubectl(['get', 'mroute', 'proposals', '-o', 'json']));
    expect(spec).toEqual({
      models: ['gpt-4o', 'proposal-writer'],
      chain: [{ endpoint: 'openai', model: 'gpt-4o' }],
      timeouts: { connect: '2s', firstContent: '10s', idle: '15s', total: '120s' },
      retries: { maxAttempts: 4, sameTarget: 1, budgetPercent: 20, waitUpTo: '0s' },
      streaming: { commit: 'FirstContent', afterCommit: 'Error' },
    });
    const answer = JSON.parse(await kubectl(['get', 'pep', 'vllm', '-o', 'json']));
    expect(answer.spec).toEqual({ provider: 'OpenAICompatible', regions, probe: { interval: '30s', timeout: '10s' } });
  });

  it('explains each field', async () => {
    const text = await kubectl(['explain', 'modelroute.spec.timeouts.firstContent']);
    expect(text).toContain('FIELD: firstContent <string>');
    expect(text.replace(/\s+/g, ' ')).toContain('a provider that sends only those is stalled');
    expect(await kubectl(['explain', 'pep.spec'])).toMatch(/regions\t<\[\]Object>/);
  });

  it('keeps status when the spec is applied again, and a spec from changing status', async () => {
    await kubectl(['replace', '-f', '-'], { ...route({}), status: { active: 'forged/x/y' } });
    expect(await kubectl(['get', 'mroute', 'proposals', '-o', 'jsonpath={.status.active} {.metadata.generation}'])).toBe(
      'openai/us-east/gpt-4o 2',
    );
  });
});
