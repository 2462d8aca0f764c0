import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endpointYaml, routeYaml, secretYaml } from './local-namespace.ts';
import { understudy } from './understudy-process.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'understudy-validate-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Writes one file and validates it. Lines are given without the name of the file. */
async function validate(yaml: string, ...argv: string[]) {
  const file = join(directory, 'file.yaml');
  await writeFile(file, yaml);
  const { code, stdout, stderr } = await understudy(['validate', '-f', file, ...argv]);
  return {
    code,
    lines: stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.replaceAll(`${file}:`, '')),
    stderr,
  };
}

const ENDPOINTS = `${endpointYaml('primary', 'https://a.example/v1')}---\n${endpointYaml('standby', 'https://b.example/v1')}---\n`;

describe('understudy validate', () => {
  it('finds nothing wrong with the samples', async () => {
    expect(await understudy(['validate', '-f', 'manifests/samples'])).toEqual({
      code: 0,
      stdout: '',
      stderr: '5 valid objects, 0 errors, 0 warnings\n',
    });
  });

  it.each<[string, string, string[]]>([
    [
      'an empty chain',
      ENDPOINTS + routeYaml({ chain: [] }).replace('chain:', 'chain: []'),
      ['29: ModelRoute/proposals: spec.chain: name at least one target in spec.chain: {endpoint: …, model: …}'],
    ],
    [
      'a base URL that is not http(s)',
      endpointYaml('primary', 'ftp://a.example'),
      [
        '10: ProviderEndpoint/primary: spec.regions[0].baseURL: baseURL must begin with http:// or https:// and name a host, for example https://api.openai.com/v1 (ftp://a.example)',
      ],
    ],
    [
      'a base URL with credentials, without repeating them',
      endpointYaml('primary', 'https://user:secret@a.example'),
      [
        '10: ProviderEndpoint/primary: spec.regions[0].baseURL: baseURL must not carry credentials: put the key into a Secret and name it in spec.credentials.secretRef (https://…@a.example)',
      ],
    ],
    [
      'a field that is misspelled, without its value, which may be a key',
      endpointYaml('primary', 'https://a.example').replace(
        '  provider: OpenAICompatible',
        '  provider: OpenAICompatible\n  apiKey: secret',
      ),
      [
        '7: ProviderEndpoint/primary: spec.apiKey: unknown field: known here: provider, failureDomain, credentials, regions, models, probe',
      ],
    ],
    [
      'a Secret whose data is not base64, without showing it',
      'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  apiKey: "secret!"\n',
      ['5: Secret/s: data.apiKey: is not base64: encode it, or use stringData'],
    ],
    [
      'one name twice',
      `${secretYaml('primary')}---\n${secretYaml('primary')}`,
      ['8: Secret/primary: metadata.name: is defined already, at 1: give it another name, or remove one'],
    ],
    [
      'a kind that nobody knows',
      'apiVersion: understudy.dev/v1alpha1\nkind: ModelRoutes\nmetadata: {name: r}\n',
      [
        '2: ModelRoutes/r: kind: understudy.dev/v1alpha1 ModelRoutes is not known here: understudy.dev/v1alpha1 has ModelRoute and ProviderEndpoint',
      ],
    ],
    [
      'a version that nobody knows',
      routeYaml().replace('v1alpha1', 'v1'),
      [
        '1: ModelRoute/proposals: apiVersion: write understudy.dev/v1alpha1, the version of ModelRoute that this program knows (understudy.dev/v1)',
      ],
    ],
    [
      'what is no object',
      'hello\n',
      [
        '1: is not a Kubernetes object: begin it with "apiVersion: understudy.dev/v1alpha1" and "kind: ModelRoute" or another kind',
      ],
    ],
    ['what is no YAML', 'a: b\nc: [d\ne: f\n', ['3: is not YAML: deficient indentation']],
  ])('refuses %s', async (_what, yaml, lines) => {
    const result = await validate(yaml);
    expect(result.lines).toEqual(lines);
    expect(result.code).toBe(1);
    expect(JSON.stringify(result)).not.toContain('secret!');
  });

  it('finds the field of an item of a List, as kubectl get -o yaml writes it, and ignores its status', async () => {
    const list = `apiVersion: v1
kind: List
items:
- apiVersion: understudy.dev/v1alpha1
  kind: ModelRoute
  metadata: {name: r, namespace: sales, creationTimestamp: 2026-11-23T10:00:00Z}
  spec:
    models: [a]
    chain: [{endpoint: e, model: m}]
    retries: {maxAttempts: 99}
  status: {anything: goes}
`;
    expect((await validate(list)).lines).toEqual([
      '10: ModelRoute/r: spec.retries.maxAttempts: should be less than or equal to 10 (99)',
    ]);
  });

  it.each<[string, string, string]>([
    [
      'an endpoint that is not in the files',
      `${endpointYaml('primary', 'https://a.example/v1')}---\n${routeYaml()}`,
      'spec.chain: EndpointNotFound: spec.chain[1]: there is no ProviderEndpoint "standby"',
    ],
    ['a chain within one failure domain', ENDPOINTS + routeYaml({ chain: ['primary'] }), 'spec.chain: SingleFailureDomain: '],
    [
      'a model name that two routes claim',
      `${ENDPOINTS}${routeYaml()}---\n${routeYaml({ models: 'gpt-4o, other' }).replace('proposals', 'second')}`,
      'ModelRoute/second: spec.models: ModelNameConflict: Model name "gpt-4o" belongs to the older route "proposals"',
    ],
  ])('warns of %s, which the API server would accept', async (_what, yaml, part) => {
    const { code, lines, stderr } = await validate(yaml);
    expect(lines.join('\n')).toContain(part);
    expect(lines.filter((line) => !/^\d+: warning: ModelRoute\//.test(line))).toEqual([]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/ 0 errors, \d warnings?\n$/);
  });

  it('leaves kinds of Kubernetes aside with a note', async () => {
    const { code, lines, stderr } = await validate(
      `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\n---\n${secretYaml('primary')}`,
    );
    expect({ code, lines }).toEqual({ code: 0, lines: [] });
    expect(stderr).toMatch(
      /:1: Deployment\/app: left aside: it says nothing about routes\n1 valid object, 0 errors, 0 warnings\n$/,
    );
  });

  it('gives problems as JSON for other programs', async () => {
    const { code, lines } = await validate(endpointYaml('primary', 'ftp://a.example'), '-o', 'json');
    expect(code).toBe(1);
    expect(JSON.parse(lines.join('\n'))).toEqual([
      {
        severity: 'Error',
        file: join(directory, 'file.yaml'),
        line: 10,
        object: 'ProviderEndpoint/primary',
        field: 'spec.regions[0].baseURL',
        message: 'baseURL must begin with http:// or https:// and name a host, for example https://api.openai.com/v1',
        value: 'ftp://a.example',
      },
    ]);
  });

  it('names a file that can not be read, in one line', async () => {
    const dangling = join(directory, 'dangling.yaml');
    await symlink('/nonexistent', dangling);
    expect(await understudy(['validate', '-f', directory])).toEqual({
      code: 1,
      stdout: '',
      stderr: `understudy: ${dangling}: there is no such file or directory\n`,
    });
  });

  it('reads standard input', async () => {
    const { code, stdout } = await understudy(['validate', '-f', '-'], { stdin: '\n\nkind: x\n' });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^<stdin>:3: is not a Kubernetes object/);
  });
});
