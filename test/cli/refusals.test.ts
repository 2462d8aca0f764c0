import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { createLocalNamespace, type LocalNamespace, routeYaml } from './local-namespace.ts';
import { startProcess, startUnderstudy, understudy } from './understudy-process.ts';

let namespace: LocalNamespace;
beforeEach(async () => {
  namespace = await createLocalNamespace();
});
afterEach(() => namespace.stop());

const start = async (...argv: string[]) => {
  const child = startUnderstudy(['run', ...argv]);
  const code = await child.exit();
  return { code, stdout: child.stdout(), stderr: child.stderr() };
};
const anyPort = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];

describe('understudy run, when it can not begin', () => {
  it.each(['--listen', '--admin'])('names the port of %s that is in use, with the way out, and ends', async (option) => {
    const server: Server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    try {
      const result = await start('--config', namespace.directory, ...anyPort, option, `127.0.0.1:${port}`);
      expect(result).toEqual({
        code: 1,
        stdout: '',
        stderr: `understudy: 127.0.0.1:${port} is in use by another program: end that one, or listen elsewhere with ${option} 127.0.0.1:${port + 1}\n`,
      });
    } finally {
      server.close();
    }
  });

  it('tells every problem of the files with its line, and ends', async () => {
    const file = await namespace.write(
      'route.yaml',
      routeYaml({ chain: [], extra: '  retrie: {}\n' }).replace('chain:', 'chain: []'),
    );
    const { code, stderr } = await start('--config', namespace.directory, ...anyPort);
    expect(code).toBe(1);
    expect(stderr.split('\n')).toEqual([
      `${file}:7: ModelRoute/proposals: spec.chain: name at least one target in spec.chain: {endpoint: …, model: …}`,
      `${file}:9: ModelRoute/proposals: spec.retrie: unknown field: did you mean "retries"?`,
      'understudy: 2 problems in the files, so nothing is served: mend them and start again',
      '',
    ]);
  });

  it('asks which of several namespaces to serve, and serves the one that is picked', async () => {
    await namespace.write(
      'other.yaml',
      routeYaml({ models: 'other' }).replace('name: proposals', 'name: proposals\n  namespace: sales'),
    );
    const { code, stderr } = await start('--config', namespace.directory, ...anyPort);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        'understudy: the files name 2 namespaces (default, sales), and one run serves one: pick it with --namespace default\n',
    });
    const run = await namespace.run({ argv: ['--config', namespace.directory, '--namespace', 'default'] });
    expect(run.process.stdout()).toContain('serving the namespace default, models gpt-4o\n');
  });

  it.each([
    [['--config', '/nonexistent'], 1, 'understudy: /nonexistent: there is no such file or directory\n'],
    [[], 2, 'understudy: name the files to serve, for example --config manifests/samples; see "understudy run --help"\n'],
  ])('says in one line what is wrong with %j', async (argv, code, stderr) => {
    expect(await start(...argv)).toEqual({ code, stdout: '', stderr });
  });
});

describe('understudy', () => {
  it('lists its commands, and each explains itself', async () => {
    const { code, stdout } = await understudy(['--help']);
    expect(code).toBe(0);
    const commands = [...stdout.matchAll(/^ {2}(\w+) +\S/gm)]
      .map(([, name]) => name!)
      .filter((name) => !['make', 'understudy'].includes(name));
    expect(commands).toEqual(['run', 'get', 'validate', 'operator', 'proxy', 'version']);
    for (const command of commands) {
      const help = await understudy([command, '--help']);
      expect(help.code).toBe(0);
      expect(help.stdout).toContain('understudy');
    }
  });

  it.each([
    [['bogus'], 'there is no command "bogus"; see "understudy --help"'],
    [['get'], 'say what to get: modelroutes or providerendpoints; see "understudy get --help"'],
    [
      ['get', 'pods'],
      '"pods" is no kind of Understudy: take modelroutes or modelroute or mroute, providerendpoints or providerendpoint or pep; see "understudy get --help"',
    ],
    [['get', 'mroute', '-o', 'xml'], '--output is one of wide, yaml, json, not "xml"; see "understudy get --help"'],
    [['validate'], 'name what to check, for example -f manifests/samples; see "understudy validate --help"'],
    [['run', '--bogus'], 'unknown option \'--bogus\'; see "understudy run --help"'],
  ])('refuses %j with exit code 2 and one line', async (argv, line) => {
    expect(await understudy(argv)).toEqual({ code: 2, stdout: '', stderr: `understudy: ${line}\n` });
  });

  it('says in one line that this Node is too old, and how to get one that is not', async () => {
    const old = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.1.0"})';
    const child = startProcess(process.execPath, ['--import', old, join(import.meta.dirname, '../../cli/start.js'), 'get']);
    expect(await child.exit()).toBe(1);
    expect(child.stderr()).toMatch(
      /^understudy: needs Node\.js 24 or newer, and this is .*npx understudy.*https:\/\/nodejs\.org\n$/,
    );
  });
});
