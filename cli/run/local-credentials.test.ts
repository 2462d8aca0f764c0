import { ambiguousVariable, createLocalCredentials, secretVariable } from './local-credentials.ts';

const ref = { secret: 'openai-eu', key: 'apiKey' };
const secret = (value: string) => ({ name: 'openai-eu', values: new Map([['apiKey', value]]) });

describe('createLocalCredentials', () => {
  it('reads a key from the Secrets of the files before the environment', () => {
    const credentials = createLocalCredentials({ [secretVariable(ref)]: 'from-environment' });
    expect(credentials.read(ref)).toBe('from-environment');
    credentials.replace([secret('from-file\n')]);
    expect(credentials.read(ref)).toBe('from-file');
    credentials.replace([]);
    expect(credentials.read(ref)).toBe('from-environment');
  });

  it('takes an empty value for a missing one', () => {
    const credentials = createLocalCredentials({});
    expect(credentials.read(ref)).toBeUndefined();
    credentials.replace([secret('\n')]);
    expect(credentials.read(ref)).toBeUndefined();
  });

  it('tells of a change, and only of a change', () => {
    const credentials = createLocalCredentials({});
    let told = 0;
    const stop = credentials.onChange(() => told++);
    credentials.replace([secret('one')]);
    credentials.replace([secret('one')]);
    expect(told).toBe(1);
    credentials.replace([secret('two')]);
    expect(told).toBe(2);
    stop();
    credentials.replace([]);
    expect(told).toBe(2);
  });

  it('names the variable in upper case, with everything else as an underscore', () => {
    expect(secretVariable(ref)).toBe('UNDERSTUDY_SECRET_OPENAI_EU_APIKEY');
    expect(secretVariable({ secret: 'vllm.local', key: 'api-key' })).toBe('UNDERSTUDY_SECRET_VLLM_LOCAL_API_KEY');
  });
});

describe('ambiguousVariable', () => {
  const endpoint = (secret: string, key: string) => ({
    name: secret,
    provider: 'OpenAI' as const,
    failureDomain: 'openai',
    regions: [{ name: 'us', baseURL: 'https://api.openai.com/v1' }],
    credential: { secret, key },
  });

  it('names a variable that two different keys would be read from', () => {
    const endpoints = [endpoint('a-b', 'c'), endpoint('a', 'b-c')];
    expect(ambiguousVariable({ endpoints }, [])).toBe('UNDERSTUDY_SECRET_A_B_C');
    expect(ambiguousVariable({ endpoints }, [{ name: 'a', values: new Map([['b-c', 'key']]) }])).toBeUndefined();
  });

  it('minds neither one key of two endpoints, nor different variables', () => {
    expect(ambiguousVariable({ endpoints: [endpoint('a', 'k'), endpoint('a', 'k'), endpoint('b', 'k')] }, [])).toBeUndefined();
  });
});
