import type { CredentialReport, TargetReport } from '../../contract/fleet.ts';
import type { ProviderEndpointStatus } from '../../crds/provider-endpoint.ts';
import type { ReceivedReport } from '../fleet/fleet.ts';
import { compareStatus } from '../status-writes.ts';
import { endpointInWords } from './endpoint-in-words.ts';
import { endpointStatus } from './endpoint-status.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const at = (seconds: number) => new Date(NOW + seconds * 1_000).toISOString();

const DOWN = { health: 'Down', reason: 'ErrorRate' } as const;

describe('endpointStatus', () => {
  it('shows figures of each model, and the probe of each region', () => {
    const status = statusOf({
      targets: [
        target('us', 'gpt', {
          recent: { attempts: 500, failures: 1 },
          firstToken: { p50: 640, p95: 1_900 },
          probe: { time: at(-20), outcome: 'Succeeded', latency: 412 },
        }),
      ],
      totals: new Map([['openai/us/gpt', { attempts: 18_204, failures: 3 }]]),
    });
    expect(status.regions![0]).toMatchObject({
      name: 'us',
      health: 'Healthy',
      probe: { time: '2026-11-23T11:59:40Z', outcome: 'Succeeded', latency: '412ms' },
      models: [{ name: 'gpt', errorRate: '0.2%', firstTokenP50: '640ms', firstTokenP95: '1.9s', requests: 18_204 }],
    });
  });

  it.each<{ sentence: string; targets: TargetReport[]; regions: string[]; health: string; condition: string }>([
    {
      sentence: 'takes the worst model for a region, and the best region for the endpoint',
      targets: [target('us', 'gpt', DOWN), target('us', 'mini'), target('eu', 'gpt')],
      regions: ['us Down', 'eu Healthy'],
      health: 'Healthy',
      condition: 'True/Healthy',
    },
    {
      sentence: 'is down when every region is',
      targets: [target('us', 'gpt', DOWN), target('eu', 'gpt', DOWN)],
      regions: ['us Down', 'eu Down'],
      health: 'Down',
      condition: 'False/AllTargetsDown',
    },
    {
      sentence: 'does not know a region that nobody asked',
      targets: [target('us', 'gpt', DOWN)],
      regions: ['us Down', 'eu Unknown'],
      health: 'Down',
      condition: 'Unknown/NoSignal',
    },
    {
      sentence: 'knows nothing before anything was seen',
      targets: [],
      regions: ['us Unknown', 'eu Unknown'],
      health: 'Unknown',
      condition: 'Unknown/NoSignal',
    },
  ])('$sentence', ({ targets, regions, health, condition }) => {
    const status = statusOf({ targets });
    expect(status.regions!.map((region) => `${region.name} ${region.health}`)).toEqual(regions);
    expect(status.health).toBe(health);
    expect(conditionOf(status, 'Healthy')).toBe(condition);
  });

  it.each<{ sentence: string; credentials: CredentialReport['state'][]; used?: boolean; expected: string }>([
    {
      sentence: 'has its key when every replica read it',
      credentials: ['Resolved', 'Resolved'],
      expected: 'True/CredentialsResolved',
    },
    { sentence: 'misses it when one replica does', credentials: ['Resolved', 'Missing'], expected: 'False/SecretMissing' },
    { sentence: 'tells a refused key', credentials: ['Refused'], expected: 'False/Refused' },
    { sentence: 'tells an exhausted account', credentials: ['QuotaExhausted'], expected: 'False/QuotaExhausted' },
    { sentence: 'does not know when nobody said', credentials: [], expected: 'Unknown/NoReport' },
    { sentence: 'does not know when no route uses it', credentials: ['Resolved'], used: false, expected: 'Unknown/NoReport' },
  ])('$sentence', ({ credentials, used = true, expected }) => {
    expect(conditionOf(statusOf({ credentials, used }), 'CredentialsResolved')).toBe(expected);
  });

  it('keeps the figures in sight, and not the verdict, when nobody reports any more', () => {
    const before = statusOf({ targets: [target('us', 'gpt')] });
    const status = statusOf({ before, proxies: 0 });
    expect(status).toMatchObject({
      health: 'Unknown',
      regions: [{ health: 'Unknown', models: [{ name: 'gpt', health: 'Unknown' }] }, {}],
    });
    expect(conditionOf(status, 'Healthy')).toBe('Unknown/NoReport');
  });

  it('says nothing new of the fleet while an operator that has just begun has not heard of it', () => {
    const before = statusOf({ targets: [target('us', 'gpt')] });
    expect(statusOf({ before, proxies: 0, fleetKnown: false })).toEqual(before);
  });

  it('is no news when only figures moved, and news when a verdict did', () => {
    const before = statusOf({ targets: [target('us', 'gpt', { evidence: '1 of 20' })] });
    const figures = statusOf({
      before,
      targets: [target('us', 'gpt', { evidence: '2 of 40', recent: { attempts: 40, failures: 2 } })],
    });
    expect(compareStatus(before, figures, endpointInWords)).toBe('Figures');
    expect(compareStatus(before, statusOf({ before, targets: [target('us', 'gpt', DOWN)] }), endpointInWords)).toBe('News');
  });
});

function target(region: string, model: string, overrides: Partial<TargetReport> = {}): TargetReport {
  return {
    id: `openai/${region}/${model}`,
    endpoint: 'openai',
    region,
    model,
    health: 'Healthy',
    reason: 'WithinBaseline',
    since: at(-60),
    attempts: 1,
    failures: 0,
    recent: { attempts: 0, failures: 0 },
    lastSignal: at(-1),
    ...overrides,
  };
}

function statusOf(given: {
  targets?: TargetReport[];
  credentials?: CredentialReport['state'][];
  totals?: Map<string, { attempts: number; failures: number }>;
  before?: ProviderEndpointStatus;
  proxies?: number;
  used?: boolean;
  fleetKnown?: boolean;
}): ProviderEndpointStatus {
  const { targets = [], credentials = ['Resolved'], totals = new Map(), before, used = true, fleetKnown = true } = given;
  const reports = Array.from(
    { length: given.proxies ?? Math.max(1, credentials.length) },
    (_, index): ReceivedReport => ({
      receivedAt: NOW,
      report: {
        proxy: `proxy-${index}`,
        instance: `i${index}`,
        version: '0',
        ready: true,
        targets,
        routes: [],
        credentials: credentials[index] ? [{ secret: 'openai', key: 'apiKey', state: credentials[index] }] : [],
        failovers: [],
      },
    }),
  );
  return endpointStatus({
    endpoint: {
      metadata: { name: 'openai', generation: 1 },
      spec: {
        regions: ['us', 'eu'].map((name) => ({ name, baseURL: `https://${name}.example/v1` })),
        credentials: { secretRef: { name: 'openai', key: 'apiKey' } },
      },
      status: before,
    },
    findings: { accepted: { status: 'True', reason: 'Accepted', message: 'The spec is valid.' }, used },
    reports,
    totals,
    fleetKnown,
    now: NOW,
  });
}

function conditionOf(status: ProviderEndpointStatus, type: string): string | undefined {
  const found = status.conditions?.find((condition) => condition.type === type);
  return found && `${found.status}/${found.reason}`;
}
