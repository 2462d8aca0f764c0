import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { load } from 'js-yaml';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';
import { endpointYaml, routeYaml } from './local-namespace.ts';
import { understudy } from './understudy-process.ts';

/** So long ago that a second more does not show. */
const SINCE = '2020-01-01T10:00:00Z';

const ROUTE_STATUS = {
  active: 'primary/local/gpt-4o',
  health: 'Healthy',
  reason: 'PrimaryHealthy',
  since: SINCE,
  failovers: 3,
  proxies: { ready: 2, programmed: 2, revision: '9f3c2a17', summary: '2/2' },
};
const ENDPOINT_STATUS = {
  health: 'Degraded',
  reason: 'ErrorRate',
  since: SINCE,
  conditions: [
    { type: 'CredentialsResolved', status: 'False', reason: 'SecretMissing', message: 'no Secret', lastTransitionTime: SINCE },
  ],
};

describe('understudy get beside kubectl, on the same objects', () => {
  let controlPlane: ControlPlane;
  let admin: Server;
  let origin: string;

  const kubectl = async (args: readonly string[], stdin?: string): Promise<string> => {
    const { code, stdout, stderr } = await controlPlane.kubectl(args, stdin === undefined ? {} : { stdin });
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const patch = (kind: string, name: string, status: object) =>
    kubectl(['patch', kind, name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]);

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    await kubectl(['apply', '-f', 'manifests/crds.yaml']);
    await kubectl(['wait', '--for=condition=Established', '--timeout=30s', '-f', 'manifests/crds.yaml']);
    await kubectl(['create', '-f', '-'], `${routeYaml()}---\n${routeYaml().replace('proposals', 'a-route-without-any-status')}`);
    await kubectl(['create', '-f', '-'], endpointYaml('primary', 'https://a.example/v1'));
    await patch('mroute', 'proposals', ROUTE_STATUS);
    await patch('pep', 'primary', ENDPOINT_STATUS);
    admin = createServer(async (request, response) => {
      // Names of kinds stand last in the path.
      response.end(await kubectl(['get', request.url!.split('/').at(-1)!, '-o', 'json']));
    }).listen(0, '127.0.0.1');
    await once(admin, 'listening');
    origin = `http://127.0.0.1:${(admin.address() as AddressInfo).port}`;
  }, 180_000);
  afterAll(async () => {
    admin?.close();
    await controlPlane?.stop();
  });

  /** Without the age of objects that were made just now, which may pass a second between the two. */
  const ageless = (text: string) =>
    text.replace(/(?<= )(\d+m)?\d+s(?= |$)/gm, (age) => age.replace(/\d/g, '9').padStart(5).trim());

  it.each([
    [['modelroutes']],
    [['mroute', 'proposals']],
    [['modelroutes', '-o', 'wide']],
    [['providerendpoints']],
    [['pep', '-o', 'wide']],
    [['mroute,pep']],
  ])('prints the table of %j as kubectl does', async (args) => {
    const ours = await understudy(['get', ...args, '--admin', origin]);
    expect(ours).toMatchObject({ code: 0, stderr: '' });
    const lines = (text: string) =>
      ageless(text)
        .trimEnd()
        .split('\n')
        .map((line) => line.trimEnd());
    expect(lines(ours.stdout)).toEqual(lines(await kubectl(['get', ...args])));
  });

  it.each([[['modelroutes']], [['modelroute', 'proposals']], [['mroute,pep']]])(
    'gives %j as JSON and YAML as kubectl does',
    async (args) => {
      const both = async (format: string) => [
        (await understudy(['get', ...args, '-o', format, '--admin', origin])).stdout,
        await kubectl(['get', ...args, '-o', format]),
      ];
      const [ourJson, theirJson] = await both('json');
      expect(JSON.parse(ourJson!)).toEqual(JSON.parse(theirJson!));
      const [ourYaml, theirYaml] = await both('yaml');
      expect(load(ourYaml!)).toEqual(load(theirYaml!));
      expect(ourYaml!.split('\n').slice(0, 8)).toEqual(theirYaml!.split('\n').slice(0, 8));
    },
  );
});
