import type { FailoverRecord, ProxyReport, RouteReport, TargetReport } from '../../contract/fleet.ts';
import type { RuntimeConfig } from '../../contract/runtime-config.ts';

export const TARGET = 'openai/us-east/gpt-4o';
export const NOON = '2026-11-23T12:00:00.000Z';

/** An ISO time, this many seconds after noon. */
export function at(seconds: number): string {
  return new Date(Date.parse(NOON) + seconds * 1_000).toISOString();
}

export function targetReport(overrides: Partial<TargetReport> = {}): TargetReport {
  return {
    id: TARGET,
    endpoint: 'openai',
    region: 'us-east',
    model: 'gpt-4o',
    health: 'Healthy',
    reason: 'WithinBaseline',
    since: NOON,
    attempts: 0,
    failures: 0,
    recent: { attempts: 0, failures: 0 },
    lastSignal: NOON,
    ...overrides,
  };
}

export function routeReport(overrides: Partial<RouteReport> = {}): RouteReport {
  return {
    name: 'proposals',
    generation: 1,
    active: TARGET,
    reason: 'PrimaryHealthy',
    since: NOON,
    shares: [{ target: TARGET, share: 100 }],
    failovers: 0,
    ...overrides,
  };
}

export function failover(id: string, overrides: Partial<FailoverRecord> = {}): FailoverRecord {
  return {
    id,
    route: 'proposals',
    time: NOON,
    from: TARGET,
    to: 'vllm/local/llama',
    reason: 'ErrorRate',
    evidence: '7 of 20 requests failed',
    ...overrides,
  };
}

export function proxyReport(overrides: Partial<ProxyReport> = {}): ProxyReport {
  return {
    proxy: 'proxy-a',
    instance: 'a1',
    version: '0.1.0',
    ready: true,
    targets: [],
    routes: [],
    credentials: [],
    failovers: [],
    ...overrides,
  };
}

export function runtimeConfig(revision: string, overrides: Partial<RuntimeConfig> = {}): RuntimeConfig {
  return {
    version: 1,
    namespace: 'sales',
    revision,
    endpoints: [
      {
        name: 'openai',
        provider: 'OpenAI',
        failureDomain: 'openai',
        credential: { secret: 'openai', key: 'apiKey' },
        regions: [{ name: 'us-east', baseURL: 'https://api.openai.com/v1' }],
      },
    ],
    routes: [],
    ...overrides,
  };
}
