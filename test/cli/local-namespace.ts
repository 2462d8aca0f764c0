import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLab, type Lab } from '../lab/lab.ts';
import { endProcesses, type RunningProcess, type StartOptions, startUnderstudy, understudy } from './understudy-process.ts';

/** Keys that must show up nowhere but at the providers. */
export const KEYS = { primary: 'key-of-primary-7d1f', standby: 'key-of-standby-90ac' } as const;

export interface LocalRun {
  process: RunningProcess;
  /** Base URL for an SDK. */
  baseURL: string;
  admin: string;
  /** `understudy get …` at this run, with its output. */
  get(...argv: string[]): Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** A directory of YAML over two labs, for `understudy run`. */
export interface LocalNamespace {
  directory: string;
  primary: Lab;
  standby: Lab;
  write(file: string, yaml: string): Promise<string>;
  run(options?: StartOptions & { argv?: readonly string[] }): Promise<LocalRun>;
  /** Ends every process, both labs and the directory. */
  stop(): Promise<void>;
}

export async function createLocalNamespace(): Promise<LocalNamespace> {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-cli-'));
  const primary = createLab({ name: 'primary' });
  const standby = createLab({ name: 'standby' });
  await Promise.all([primary.start(), standby.start()]);
  const write = async (file: string, yaml: string) => {
    await writeFile(join(directory, file), yaml);
    return join(directory, file);
  };
  await write('endpoints.yaml', `${endpointYaml('primary', primary.baseURL)}---\n${endpointYaml('standby', standby.baseURL)}`);
  await write('secrets.yaml', `${secretYaml('primary')}---\n${secretYaml('standby')}`);
  await write('route.yaml', routeYaml());
  return {
    directory,
    primary,
    standby,
    write,
    run: async ({ argv = ['--config', directory], ...options } = {}) => {
      const process = startUnderstudy(['run', ...argv, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'], options);
      const [, baseURL] = await process.waitFor(/base URL for applications: +(\S+)/);
      const [, admin] = await process.waitFor(/status, health, metrics: +(\S+)/);
      return {
        process,
        baseURL: baseURL!,
        admin: admin!,
        get: (...rest) => understudy(['get', ...rest, '--admin', admin!]),
      };
    },
    stop: async () => {
      await endProcesses();
      await Promise.all([primary.stop(), standby.stop(), rm(directory, { recursive: true, force: true })]);
    },
  };
}

export function endpointYaml(name: string, baseURL: string): string {
  return `apiVersion: understudy.dev/v1alpha1
kind: ProviderEndpoint
metadata:
  name: ${name}
spec:
  provider: OpenAICompatible
  credentials:
    secretRef: {name: ${name}, key: apiKey}
  regions:
  - {name: local, baseURL: ${baseURL}}
`;
}

export function secretYaml(name: keyof typeof KEYS): string {
  return `apiVersion: v1
kind: Secret
metadata: {name: ${name}}
stringData: {apiKey: ${KEYS[name]}}
`;
}

export function routeYaml({ models = 'gpt-4o', chain = ['primary', 'standby'], extra = '' } = {}): string {
  return `apiVersion: understudy.dev/v1alpha1
kind: ModelRoute
metadata:
  name: proposals
spec:
  models: [${models}]
  chain:
${chain.map((endpoint) => `  - {endpoint: ${endpoint}, model: model-of-${endpoint}}\n`).join('')}  timeouts: {connect: 1s, firstContent: 2s, response: 2s, idle: 2s, total: 20s}
${extra}`;
}
