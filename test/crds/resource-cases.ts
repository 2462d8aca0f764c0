/** Objects that the API server and the offline validator must judge alike. */
export interface ResourceCase {
  /** Completes "refuses …" or "takes …". */
  name: string;
  object: { kind: string; metadata: { name: string }; [key: string]: unknown };
  /** What is wrong, by field; empty for an object that is fine. */
  problems: Record<string, string[]>;
}

type Fields = Record<string, unknown>;

export function route(spec: Fields): ResourceCase['object'] {
  const valid = { models: ['gpt-4o'], chain: [{ endpoint: 'openai', model: 'gpt-4o' }] };
  return {
    apiVersion: 'understudy.dev/v1alpha1',
    kind: 'ModelRoute',
    metadata: { name: 'proposals' },
    spec: { ...valid, ...spec },
  };
}

export function endpoint(spec: Fields): ResourceCase['object'] {
  const valid = { provider: 'OpenAICompatible', regions: [{ name: 'local', baseURL: 'http://vllm:8000/v1' }] };
  return {
    apiVersion: 'understudy.dev/v1alpha1',
    kind: 'ProviderEndpoint',
    metadata: { name: 'vllm' },
    spec: { ...valid, ...spec },
  };
}

const region = (baseURL: string) => endpoint({ regions: [{ name: 'local', baseURL }] });
const timeouts = (fields: Fields) => route({ timeouts: fields });

const NO_CHAIN = 'name at least one target in spec.chain: {endpoint: …, model: …}';
const NO_MODELS = 'name at least one model that applications ask for, for example models: [gpt-4o]';
const NO_REGION = 'name at least one region: {name: …, baseURL: https://…}';
const NO_SECRET_NAME = 'name the Secret that holds the provider key, for example name: openai';
const NO_SECRET_KEY = 'name the key of the Secret that holds the provider key, for example key: apiKey';
const NOT_A_DURATION = 'write a duration such as 500ms, 30s or 1m30s';
const NOT_HTTP = 'baseURL must begin with http:// or https:// and name a host, for example https://api.openai.com/v1';
const CREDENTIALS_IN_URL =
  'baseURL must not carry credentials: put the key into a Secret and name it in spec.credentials.secretRef';
const QUERY_IN_URL = 'baseURL must not have a query, a fragment, white space or characters that are not ASCII';
const DUPLICATE_ENTRY = 'two entries of the chain have the same endpoint, model and region: remove one';
const PROBE_TOO_OFTEN = 'probe.interval must be 1s or longer: each probe is a real, billed completion';
const NOT_A_MODEL_NAME = 'a model name has plain ASCII characters and no white space';
const NOT_A_LABEL = 'use lower-case letters, digits and "-", beginning and ending with a letter or digit';

const openai = { endpoint: 'openai', model: 'gpt-4o' };

export const REFUSED: ResourceCase[] = [
  { name: 'a route without a chain', object: route({ chain: undefined }), problems: { 'spec.chain': [NO_CHAIN] } },
  { name: 'a route with an empty chain', object: route({ chain: [] }), problems: { 'spec.chain': [NO_CHAIN] } },
  { name: 'a route without models', object: route({ models: undefined }), problems: { 'spec.models': [NO_MODELS] } },
  { name: 'a route with an empty list of models', object: route({ models: [] }), problems: { 'spec.models': [NO_MODELS] } },
  {
    name: 'a route that lists a model twice',
    object: route({ models: ['a', 'b', 'a'] }),
    problems: { 'spec.models': ['a model name is listed twice: list each once'] },
  },
  {
    name: 'a model name with white space',
    object: route({ models: ['gpt 4o'] }),
    problems: { 'spec.models[0]': [NOT_A_MODEL_NAME] },
  },
  {
    name: 'a model name with a space that only Unicode knows',
    object: route({ models: ['gpt\u00a04o'] }),
    problems: { 'spec.models[0]': [NOT_A_MODEL_NAME] },
  },
  { name: 'an empty model name', object: route({ models: [''] }), problems: { 'spec.models[0]': [NOT_A_MODEL_NAME] } },
  { name: 'a duplicate entry', object: route({ chain: [openai, openai] }), problems: { 'spec.chain': [DUPLICATE_ENTRY] } },
  {
    name: 'a duplicate entry with a region',
    object: route({ chain: [{ ...openai, region: 'eu' }, openai, { ...openai, region: 'eu', weight: 3 }] }),
    problems: { 'spec.chain': [DUPLICATE_ENTRY] },
  },
  {
    name: 'a region name in capitals',
    object: route({ chain: [{ ...openai, region: 'EU' }] }),
    problems: { 'spec.chain[0].region': [NOT_A_LABEL] },
  },
  {
    name: 'a connect timeout that is longer than the one for the first content',
    object: timeouts({ connect: '11s' }),
    problems: { 'spec.timeouts': ['timeouts.connect must not be longer than timeouts.firstContent (default 10s)'] },
  },
  {
    name: 'a first content timeout that is longer than the total',
    object: timeouts({ firstContent: '3m' }),
    problems: {
      'spec.timeouts': ['timeouts.firstContent must not be longer than timeouts.total (default 120s)'],
    },
  },
  {
    name: 'an idle timeout that is longer than the total',
    object: timeouts({ idle: '20s', total: '12s' }),
    problems: { 'spec.timeouts': ['timeouts.idle must not be longer than timeouts.total (default 120s)'] },
  },
  {
    name: 'a response timeout that is longer than the total',
    object: timeouts({ response: '2m1s' }),
    problems: { 'spec.timeouts': ['timeouts.response must not be longer than timeouts.total (default 120s)'] },
  },
  {
    name: 'a timeout of nothing',
    object: timeouts({ connect: '0s', response: '0s' }),
    problems: { 'spec.timeouts.connect': ['must be longer than 0s'], 'spec.timeouts.response': ['must be longer than 0s'] },
  },
  {
    name: 'a timeout of more than a day',
    object: timeouts({ total: '25h' }),
    problems: { 'spec.timeouts.total': ['must not be longer than 24h'] },
  },
  ...['10', '-1s', '1.5s', 'soon', '', '99999999h', '1d'].map((value) => ({
    name: `a timeout of "${value}"`,
    object: timeouts({ connect: value }),
    problems: { 'spec.timeouts.connect': [NOT_A_DURATION] },
  })),
  {
    name: 'a wait for Retry-After that is longer than the whole request',
    object: route({ retries: { waitUpTo: '5m' } }),
    problems: {
      spec: ['retries.waitUpTo must not be longer than timeouts.total (default 120s): nobody would be there for the answer'],
    },
  },
  { name: 'an endpoint without regions', object: endpoint({ regions: undefined }), problems: { 'spec.regions': [NO_REGION] } },
  {
    name: 'an endpoint with an empty list of regions',
    object: endpoint({ regions: [] }),
    problems: { 'spec.regions': [NO_REGION] },
  },
  {
    name: 'two regions of one name',
    object: endpoint({
      regions: [
        { name: 'eu', baseURL: 'https://a.example/v1' },
        { name: 'eu', baseURL: 'https://b.example/v1' },
      ],
    }),
    problems: { 'spec.regions': ['two regions have one name: give each region of the endpoint its own'] },
  },
  ...['ftp://files.example', 'api.openai.com/v1', 'https://', 'https:///v1', 'file:///etc/passwd', 'http://:80/v1'].map(
    (url) => ({
      name: `the base URL ${url}`,
      object: region(url),
      problems: { 'spec.regions[0].baseURL': [NOT_HTTP] },
    }),
  ),
  ...['https://sk-secret@api.openai.com/v1', 'https://user:sk-secret@api.openai.com/v1'].map((url) => ({
    name: `the base URL ${url}`,
    object: region(url),
    problems: { 'spec.regions[0].baseURL': [CREDENTIALS_IN_URL] },
  })),
  ...['https://a.example/v1?key=1', 'https://a.example/v1#x', 'https://a.example/v 1'].map((url) => ({
    name: `the base URL ${url}`,
    object: region(url),
    problems: { 'spec.regions[0].baseURL': [QUERY_IN_URL] },
  })),
  {
    name: 'a probe more often than once a second',
    object: endpoint({ probe: { interval: '999ms' } }),
    problems: { 'spec.probe.interval': [PROBE_TOO_OFTEN] },
  },
  {
    name: 'a probe interval that is no duration',
    object: endpoint({ probe: { interval: 'often' } }),
    problems: { 'spec.probe.interval': [NOT_A_DURATION] },
  },
  {
    name: 'a secret reference without a key',
    object: endpoint({ credentials: { secretRef: { name: 'openai' } } }),
    problems: { 'spec.credentials.secretRef.key': [NO_SECRET_KEY] },
  },
  {
    name: 'a secret reference without a name',
    object: endpoint({ credentials: { secretRef: { key: 'apiKey' } } }),
    problems: { 'spec.credentials.secretRef.name': [NO_SECRET_NAME] },
  },
  {
    name: 'a secret key with a slash',
    object: endpoint({ credentials: { secretRef: { name: 'openai', key: '../key' } } }),
    problems: { 'spec.credentials.secretRef.key': ['a key of a Secret has letters, digits, "-", "_" and "." only'] },
  },
  {
    name: 'credentials without a secret reference',
    object: endpoint({ credentials: {} }),
    problems: { 'spec.credentials.secretRef': ['name a Secret and its key: secretRef: {name: …, key: …}'] },
  },
  {
    name: 'an OpenAI endpoint without credentials',
    object: endpoint({ provider: 'OpenAI' }),
    problems: {
      spec: [
        'provider OpenAI needs spec.credentials.secretRef {name, key}; an endpoint without credentials is provider OpenAICompatible',
      ],
    },
  },
  {
    name: 'two models of one name',
    object: endpoint({ models: [{ name: 'a' }, { name: 'a' }] }),
    problems: { 'spec.models': ['two models have one name: list each once'] },
  },
  {
    name: 'several mistakes, and tells each',
    object: route({ models: ['a', 'a'], chain: [], timeouts: { idle: 'x', connect: '1h' } }),
    problems: {
      'spec.models': ['a model name is listed twice: list each once'],
      'spec.chain': [NO_CHAIN],
      'spec.timeouts': ['timeouts.connect must not be longer than timeouts.firstContent (default 10s)'],
      'spec.timeouts.idle': [NOT_A_DURATION],
    },
  },
];

/** Where Kubernetes' own words are clear, the validator uses them too; the API server writes the value and the field around them. */
export const REFUSED_IN_KUBERNETES_WORDS: ResourceCase[] = [
  {
    name: 'an unknown provider',
    object: endpoint({ provider: 'Acme' }),
    problems: { 'spec.provider': ['supported values: "OpenAI", "OpenAICompatible"'] },
  },
  { name: 'no provider', object: endpoint({ provider: undefined }), problems: { 'spec.provider': ['Required value'] } },
  {
    name: 'an entry without a model',
    object: route({ chain: [{ endpoint: 'openai' }] }),
    problems: { 'spec.chain[0].model': ['Required value'] },
  },
  {
    name: 'a region without a base URL',
    object: endpoint({ regions: [{ name: 'eu' }] }),
    problems: { 'spec.regions[0].baseURL': ['Required value'] },
  },
  {
    name: 'too many entries',
    object: route({ chain: Array.from({ length: 17 }, (_, n) => ({ endpoint: 'openai', model: `m${n}` })) }),
    problems: { 'spec.chain': ['must have at most 16 items'] },
  },
  {
    name: 'a region name of 64 characters',
    object: route({ chain: [{ ...openai, region: 'a'.repeat(64) }] }),
    problems: { 'spec.chain[0].region': ['may not be more than 63 bytes'] },
  },
  {
    name: 'a weight of 0',
    object: route({ chain: [{ ...openai, weight: 0 }] }),
    problems: { 'spec.chain[0].weight': ['should be greater than or equal to 1'] },
  },
  {
    name: 'more attempts than there may be',
    object: route({ retries: { maxAttempts: 11 } }),
    problems: { 'spec.retries.maxAttempts': ['should be less than or equal to 10'] },
  },
  {
    name: 'a number of attempts that is no integer',
    object: route({ retries: { maxAttempts: 1.5 } }),
    problems: { 'spec.retries.maxAttempts': ['must be of type integer'] },
  },
  {
    name: 'a number where a duration belongs',
    object: timeouts({ total: 60 }),
    problems: { 'spec.timeouts.total': ['must be of type string'] },
  },
  {
    name: 'text where a list belongs',
    object: route({ models: 'gpt-4o' }),
    problems: { 'spec.models': ['must be of type array'] },
  },
  {
    name: 'nothing where a chain entry belongs',
    object: route({ chain: [null] }),
    problems: { 'spec.chain[0]': ['must be of type object'] },
  },
  {
    name: 'an unknown way to commit',
    object: route({ streaming: { commit: 'Never' } }),
    problems: { 'spec.streaming.commit': ['supported values: "FirstContent", "Complete"'] },
  },
];

export const TAKEN: ResourceCase[] = [
  { name: 'the smallest route', object: route({}), problems: {} },
  { name: 'the smallest endpoint', object: endpoint({}), problems: {} },
  {
    name: 'one model in two regions of one endpoint',
    object: route({ chain: [openai, { ...openai, region: 'eu' }, { ...openai, region: 'us' }] }),
    problems: {},
  },
  {
    name: 'a weight',
    object: route({
      chain: [
        { ...openai, weight: 90 },
        { endpoint: 'azure', model: 'gpt-4o', weight: 10 },
      ],
    }),
    problems: {},
  },
  { name: 'a probe once a second', object: endpoint({ probe: { interval: '1s', timeout: '900ms' } }), problems: {} },
  { name: 'an empty probe', object: endpoint({ probe: {} }), problems: {} },
  { name: 'only a total, shorter than the other defaults', object: timeouts({ total: '1500ms' }), problems: {} },
  {
    name: 'timeouts that are equal',
    object: timeouts({ connect: '1m', firstContent: '60s', idle: '60000ms', total: '1m', response: '1m' }),
    problems: {},
  },
  { name: 'null where there is a default', object: route({ timeouts: null, retries: { maxAttempts: null } }), problems: {} },
  { name: 'a model name with slashes and colons', object: route({ models: ['meta-llama/Llama-3.3-70B:free'] }), problems: {} },
  ...[
    'http://localhost:11434/v1',
    'HTTPS://API.OPENAI.COM/v1',
    'http://[::1]:8000/v1',
    'https://a.example',
    'https://a.example/@v1',
  ].map((url) => ({ name: `the base URL ${url}`, object: region(url), problems: {} })),
  {
    name: 'an OpenAI endpoint with credentials',
    object: endpoint({ provider: 'OpenAI', credentials: { secretRef: { name: 'openai', key: 'apiKey' } } }),
    problems: {},
  },
];
