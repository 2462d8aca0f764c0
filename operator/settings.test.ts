import { HELP, readSettings, SettingsError } from './settings.ts';

const IMAGE = ['--proxy-image', 'understudy:1'];

describe('readSettings', () => {
  it('needs no more than an image, and finds itself by the environment of its pod', () => {
    const settings = readSettings([], { UNDERSTUDY_PROXY_IMAGE: 'understudy:1', POD_NAME: 'pod-1', POD_NAMESPACE: 'ops' });
    expect(settings).toMatchObject({
      namespace: 'ops',
      identity: 'pod-1',
      fleet: { host: '::', port: 9443 },
      proxy: { image: 'understudy:1', replicas: 2, operatorURL: 'https://understudy-operator.ops.svc:9443' },
    });
  });

  it('prefers a flag to the environment', () => {
    const settings = readSettings([...IMAGE, '--namespace', 'mine'], { POD_NAMESPACE: 'ops' });
    expect(settings?.namespace).toBe('mine');
  });

  it('listens on every address, unless the address or UNDERSTUDY_BIND_HOST names a host', () => {
    const settings = readSettings([...IMAGE, '--admin', '127.0.0.1:81'], { UNDERSTUDY_BIND_HOST: '10.0.0.7' });
    expect(settings).toMatchObject({ fleet: { host: '10.0.0.7', port: 9443 }, admin: { host: '127.0.0.1', port: 81 } });
  });

  it('leaves out limits that are empty', () => {
    const settings = readSettings([...IMAGE, '--proxy-memory-limit', ''], {});
    expect(settings?.proxy.resources).toEqual({ requests: { cpu: '100m', memory: '128Mi' }, limits: {} });
  });

  it.each<{ sentence: string; argv: string[]; says: string }>([
    { sentence: 'names the setting that is missing', argv: [], says: '--proxy-image is needed' },
    { sentence: 'refuses what it does not know', argv: [...IMAGE, '--nonsense', '1'], says: 'nonsense' },
    { sentence: 'refuses an address without a port', argv: [...IMAGE, '--admin', 'localhost'], says: '[HOST]:PORT' },
    { sentence: 'refuses no replicas', argv: [...IMAGE, '--proxy-replicas', '0'], says: 'from 1 to 999' },
    { sentence: 'refuses a resync that never rests', argv: [...IMAGE, '--resync-interval', '10ms'], says: '1s or longer' },
    { sentence: 'names the levels that there are', argv: [...IMAGE, '--log-level', 'loud'], says: 'trace, debug, info' },
  ])('$sentence', ({ argv, says }) => {
    expect(() => readSettings(argv, {})).toThrow(SettingsError);
    expect(() => readSettings(argv, {})).toThrow(says);
  });

  it('gives nothing when help is asked for, and the help names every setting', () => {
    expect(readSettings(['--help'], {})).toBeUndefined();
    expect(HELP).toContain('--proxy-image');
    expect(HELP).toContain('UNDERSTUDY_PROXY_IMAGE');
  });
});
