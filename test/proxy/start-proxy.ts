import { createHash } from 'node:crypto';
import OpenAI from 'openai';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import {
  type CredentialRef,
  RUNTIME_CONFIG_VERSION,
  type RuntimeConfig,
  type RuntimeEndpoint,
  type RuntimeRoute,
} from '../../contract/runtime-config.ts';
import { createProxy } from '../../proxy/create-proxy.ts';
import { DEFAULT_LIMITS, type Limits } from '../../proxy/limits.ts';
import type { CredentialSource, Proxy, ProxyOptions } from '../../proxy/proxy.ts';
import { createLab, type Lab, type LabOptions } from '../lab/lab.ts';

/** Short, so that tests of silence are quick; long enough for an answer on a busy machine. */
export const TIMEOUTS = { connect: 1_200, firstContent: 1_500, response: 1_800, idle: 1_500, total: 12_000 } as const;
const RETRIES = { maxAttempts: 4, sameTarget: 1, budgetPercent: 20, waitUpTo: 0 };

/** The application's own key: it must never reach a provider. */
export const APPLICATION_KEY = 'sk-application-f81d4fae7dec11d0';

export interface TargetSpec {
  /** Name of the lab that plays it. */
  lab: string;
  /** Default: the lab. Two endpoints of one lab are two accounts at one provider. */
  endpoint?: string;
  /** Default: `lab`. A region other than that has its own base path at the same host. */
  region?: string;
  model: string;
  /** Of the whole endpoint. */
  probe?: RuntimeEndpoint['probe'];
  /** Neighbours with a weight share one step. */
  weight?: number;
}

export type RouteSpec = Partial<Pick<RuntimeRoute, 'name' | 'models' | 'streaming'>> & {
  chain?: TargetSpec[];
  timeouts?: Partial<RuntimeRoute['timeouts']>;
  retries?: Partial<RuntimeRoute['retries']>;
};

export interface StageOptions {
  /** Default: primary and secondary. */
  labs?: LabOptions[];
  /** Default: one route, each lab in its order. */
  routes?: RouteSpec[];
  limits?: Partial<Limits>;
}

/** A proxy in this process, in front of labs. */
export interface Stage {
  proxy: Proxy;
  labs: Record<string, Lab>;
  primary: Lab;
  secondary: Lab;
  /** With `/v1`. */
  baseURL: string;
  port: number;
  adminURL: string;
  client: OpenAI;
  credentials: Keys;
  /** Puts other routes in place. */
  apply(routes: RouteSpec[]): RuntimeConfig;
  /** Everything that may be read by people: logs, metrics, the report. */
  readable(): Promise<string>;
  /** Throws when a key was written where people read. */
  stop(): Promise<void>;
}

/** Keys by Secret, and a memory of every key there ever was. */
export class Keys implements CredentialSource {
  readonly #keys = new Map<string, string>();
  readonly #listeners = new Set<() => void>();
  readonly every = new Set<string>([APPLICATION_KEY]);

  set(secret: string, key: string | undefined): void {
    if (key === undefined) this.#keys.delete(secret);
    else {
      this.#keys.set(secret, key);
      this.every.add(key);
    }
    for (const listener of this.#listeners) listener();
  }

  read({ secret }: CredentialRef): string | undefined {
    return this.#keys.get(secret);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export function keyOf(endpoint: string): string {
  return `sk-${endpoint}-${createHash('sha256').update(endpoint).digest('hex').slice(0, 24)}`;
}

export async function startProxy(options: StageOptions = {}): Promise<Stage> {
  const labs: Record<string, Lab> = {};
  for (const lab of options.labs ?? [{ name: 'primary' }, { name: 'secondary' }]) {
    labs[lab.name] = createLab(lab);
    await labs[lab.name]!.start();
  }
  const lines: string[] = [];
  const registry = new Registry();
  const credentials = new Keys();
  const proxyOptions: ProxyOptions = {
    name: 'under-test',
    listen: { host: '127.0.0.1', port: 0 },
    admin: { host: '127.0.0.1', port: 0 },
    credentials,
    logger: pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }),
    registry,
  };
  const proxy = createProxy(proxyOptions, { ...DEFAULT_LIMITS, ...options.limits });
  const apply = (routes: RouteSpec[]) => {
    const config = configOf(labs, routes);
    for (const { credential } of config.endpoints) {
      if (credential && credentials.read(credential) === undefined) credentials.set(credential.secret, keyOf(credential.secret));
    }
    return proxy.applyConfig(config);
  };
  apply(options.routes ?? [{}]);
  const { listen, admin } = await proxy.start();
  const baseURL = `http://127.0.0.1:${listen.port}/v1`;
  const readable = async () => [...lines, await registry.metrics(), JSON.stringify(proxy.report(), undefined, 1)].join('\n');
  return {
    proxy,
    labs,
    primary: labs.primary!,
    secondary: labs.secondary!,
    baseURL,
    port: listen.port,
    adminURL: `http://127.0.0.1:${admin.port}`,
    client: new OpenAI({ baseURL, apiKey: APPLICATION_KEY, maxRetries: 0, logLevel: 'off' }),
    credentials,
    apply,
    readable,
    async stop() {
      const text = await readable();
      await proxy.drain(0);
      await Promise.all(Object.values(labs).map((lab) => lab.stop()));
      const leaked = [...credentials.every].filter((key) => text.includes(key));
      if (leaked.length > 0) throw new Error(`keys in logs, metrics or the report: ${leaked.join(', ')}`);
    },
  };
}

let revision = 0;

/** What an operator would have compiled. */
export function configOf(labs: Record<string, Lab>, routes: RouteSpec[]): RuntimeConfig {
  const names = Object.keys(labs);
  const chainOf = (route: RouteSpec): TargetSpec[] => route.chain ?? names.map((lab) => ({ lab, model: modelOf(lab) }));
  const endpoints = new Map<string, RuntimeEndpoint>();
  for (const { lab, endpoint = lab, region = 'lab', probe } of routes.flatMap(chainOf)) {
    const known: RuntimeEndpoint = endpoints.get(endpoint) ?? {
      name: endpoint,
      provider: 'OpenAI',
      failureDomain: endpoint,
      credential: { secret: endpoint, key: 'apiKey' },
      regions: [],
    };
    if (!known.regions.some(({ name }) => name === region)) {
      known.regions.push({ name: region, baseURL: regionURL(labs[lab]!.baseURL, region) });
    }
    endpoints.set(endpoint, { ...known, ...(probe && { probe }) });
  }
  revision += 1;
  return {
    version: RUNTIME_CONFIG_VERSION,
    namespace: 'test',
    revision: `revision-${revision}`,
    endpoints: [...endpoints.values()],
    routes: routes.map((route, index) => ({
      name: route.name ?? `route-${index}`,
      generation: 1,
      models: route.models ?? ['gpt-4o', 'writer'],
      targets: withSteps(chainOf(route)).map(({ lab, endpoint = lab, region = 'lab', model, weight = 1, step }, entry) => {
        return { id: `${endpoint}/${region}/${model}`, endpoint, region, model, step, entry, weight };
      }),
      timeouts: { ...TIMEOUTS, ...route.timeouts },
      retries: { ...RETRIES, ...route.retries },
      streaming: route.streaming ?? { commit: 'FirstContent', afterCommit: 'Error' },
    })),
  };
}

function withSteps(chain: TargetSpec[]): (TargetSpec & { step: number })[] {
  let step = -1;
  return chain.map((target, index) => {
    if (target.weight === undefined || chain[index - 1]?.weight === undefined) step += 1;
    return { ...target, step };
  });
}

/** Each lab has a model of its own, so that a model sent to the wrong target shows. */
export function modelOf(lab: string): string {
  return lab === 'primary' ? 'gpt-4o' : `${lab}-model`;
}

function regionURL(baseURL: string, region: string): string {
  return region === 'lab' ? baseURL : baseURL.replace(/\/v1$/, `/${region}/v1`);
}
