import { readSettings } from './settings.ts';

const NEEDED = ['--proxy-image', 'understudy:test'];

describe('the addresses of the operator', () => {
  it('are on every address unless they, or UNDERSTUDY_BIND_HOST, name a host', () => {
    expect(readSettings(NEEDED, {})).toMatchObject({ fleet: { host: '::', port: 9443 }, admin: { host: '::', port: 8081 } });
    const bound = readSettings([...NEEDED, '--admin', '127.0.0.1:81'], { UNDERSTUDY_BIND_HOST: '10.0.0.7' });
    expect(bound).toMatchObject({ fleet: { host: '10.0.0.7', port: 9443 }, admin: { host: '127.0.0.1', port: 81 } });
  });
});
