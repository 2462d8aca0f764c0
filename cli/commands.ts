import type { Terminal } from './terminal.ts';

export interface Command {
  name: string;
  summary: string;
  /** Loads the command only when it is called for, so that `get` does not wait for the operator's dependencies. Resolves with the exit code. */
  call(argv: readonly string[], terminal: Terminal): Promise<number>;
}

export const COMMANDS: readonly Command[] = [
  {
    name: 'run',
    summary: 'serve ModelRoutes from YAML files on this machine, without a cluster',
    call: async (argv, terminal) => (await import('./run/run.ts')).run(argv, terminal),
  },
  {
    name: 'get',
    summary: 'show what a running "understudy run" knows, as kubectl would',
    call: async (argv, terminal) => (await import('./get/get.ts')).get(argv, terminal),
  },
  {
    name: 'validate',
    summary: 'check YAML files by the rules of the API, without a cluster',
    call: async (argv, terminal) => (await import('./validate/validate.ts')).validate(argv, terminal),
  },
  {
    name: 'operator',
    summary: 'the operator: keeps the proxies of a cluster in step with its ModelRoutes',
    call: async (argv) => exitCode(await (await import('../operator/main.ts')).runOperator([...argv])),
  },
  {
    name: 'proxy',
    summary: 'the proxy of one namespace, as the operator starts it',
    call: async (argv) => exitCode(await (await import('../proxy/main.ts')).runProxy([...argv])),
  },
  {
    name: 'version',
    summary: 'the version of this program',
    call: async (_argv, terminal) => {
      const { VERSION } = await import('../contract/version.ts');
      terminal.print(`understudy ${VERSION}`);
      return 0;
    },
  },
];

/** The long-running parts end when they are told to, which is a success unless they say otherwise. */
function exitCode(result: unknown): number {
  return typeof result === 'number' ? result : 0;
}
