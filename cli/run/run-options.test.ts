import { formatAddress, readAddress, readRunOptions } from './run-options.ts';

describe('readRunOptions', () => {
  it.each([
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:9090', { host: '::1', port: 9090 }],
    [':8080', { host: '0.0.0.0', port: 8080 }],
    ['8080', { host: '127.0.0.1', port: 8080 }],
  ])('reads the address %s', (text, address) => {
    expect(readAddress('--listen', text)).toEqual(address);
  });

  it.each(['localhost', '::1:80', 'a:b', 'host:70000', 'http://localhost:80', ''])('refuses the address "%s"', (text) => {
    expect(() => readAddress('--listen', text)).toThrow(/--listen takes host:port/);
  });

  it('writes an IPv6 address so that a URL can hold it', () => {
    expect(formatAddress({ host: '::1', port: 80 })).toBe('[::1]:80');
  });

  it('takes several files after one --config, and several --config', () => {
    const options = readRunOptions(['--config', 'a.yaml', 'b.yaml', '-c', 'c']);
    expect(options).toMatchObject({ config: ['a.yaml', 'c', 'b.yaml'], listen: { port: 8080 }, admin: { port: 9090 } });
  });

  it.each([
    [[], /name the files to serve/],
    [['--config'], /argument missing/],
    [['--config', 'a', '--bogus'], /unknown option '--bogus'/],
    [['--config', 'a', '--log-level', 'loud'], /--log-level is one of/],
  ])('refuses %j with the way to the help', (argv, message) => {
    expect(() => readRunOptions(argv)).toThrow(message);
    expect(() => readRunOptions(argv)).toThrow(/see "understudy run --help"/);
  });
});
