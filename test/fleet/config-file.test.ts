import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { MAX_MESSAGE_BYTES } from '../../contract/fleet.ts';
import type { ConfigChannel } from '../../proxy/config/config-channel.ts';
import { createConfigFile } from '../../proxy/config/config-file.ts';
import { LATE_COPY_WINDOW_MS } from '../../proxy/config/decide-config-file.ts';
import { eventually } from '../eventually.ts';
import { createHarness, type Harness } from './fleet-harness.ts';
import { runtimeConfig } from './reports.ts';
import { createStubProxy, type StubProxy } from './stub-proxy.ts';
import { swapVolume } from './swap-volume.ts';

const zipped = (revision: string) => gzipSync(JSON.stringify(runtimeConfig(revision)));

describe('the config file of a proxy', () => {
  let harness: Harness;
  let proxy: StubProxy;
  let volume: string;
  /** Moves the clock that the age of a push is measured with. */
  let later: number;

  beforeEach(() => {
    harness = createHarness();
    proxy = createStubProxy();
    volume = join(harness.directory, 'config');
    later = 0;
  });
  afterEach(() => harness.close());

  const away: ConfigChannel = { connected: () => false, lastPushAt: () => undefined };
  const monotonic = () => performance.now() + later;
  const mount = (content: string | Buffer) => swapVolume(volume, { 'config.json.gz': content });

  function follow(channel: ConfigChannel): void {
    const path = join(volume, 'config.json.gz');
    const file = createConfigFile({ path, proxy, channel, logger: harness.logger, monotonic, pollIntervalMs: 100 });
    file.start();
    harness.onClose(() => file.stop());
  }

  it('is what a proxy boots from when the operator is away, before anything is awaited', () => {
    mount(zipped('last-known-good'));
    const client = harness.client(proxy, { url: 'https://127.0.0.1:1', monotonic });
    follow(client);
    expect(proxy.applied).toEqual(['last-known-good']);
    expect(client.everConnected()).toBe(false);
  });

  it('is read again when a kubelet swaps it, while the operator is away', async () => {
    mount(zipped('one'));
    follow(away);
    mount(zipped('two'));
    await eventually(() => expect(proxy.applied).toEqual(['one', 'two']));
  });

  it.each<[string, string, string | Buffer]>([
    ['is empty', 'CONFIG_FILE_EMPTY', ''],
    ['is no gzip', 'CONFIG_FILE_CORRUPT', JSON.stringify(runtimeConfig('plain'))],
    ['is cut off', 'CONFIG_FILE_CORRUPT', zipped('x').subarray(0, 40)],
    ['is no JSON', 'CONFIG_FILE_CORRUPT', gzipSync('nonsense')],
    ['has no revision', 'CONFIG_FILE_CORRUPT', gzipSync('{}')],
    ['is null', 'CONFIG_FILE_CORRUPT', gzipSync('null')],
    [
      'unpacks to far more than a config',
      'CONFIG_FILE_CORRUPT',
      gzipSync(JSON.stringify(runtimeConfig('bomb')).padEnd(MAX_MESSAGE_BYTES + 1)),
    ],
    ['is larger than a ConfigMap', 'CONFIG_FILE_TOO_LARGE', Buffer.alloc(1024 * 1024 + 1)],
    ['is refused by the proxy', 'CONFIG_FILE_REFUSED', zipped('refuse-me')],
  ])('that %s is named %s, once, and the proxy waits for the channel', async (_sentence, code, content) => {
    mount(content);
    const operator = await harness.operator();
    operator.fleet.publish('sales', runtimeConfig('from-the-channel'));
    follow(away);
    expect(proxy.applied).toEqual([]);
    harness.client(proxy, { url: operator.url });
    await eventually(() => expect(proxy.applied).toEqual(['from-the-channel']));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(harness.logs.filter((line) => line.includes(code))).toHaveLength(1);
  });

  it('that is missing is named, and read when it comes', async () => {
    follow(away);
    expect(harness.logs.join('')).toContain('CONFIG_FILE_MISSING');
    mount(zipped('one'));
    await eventually(() => expect(proxy.applied).toEqual(['one']));
  });

  it('is left alone while the channel is open, and when a late copy of it comes after; a later change is taken', async () => {
    mount(zipped('boot'));
    const operator = await harness.operator();
    const client = harness.client(proxy, { url: operator.url, monotonic });
    follow(client);
    operator.fleet.publish('sales', runtimeConfig('pushed'));
    await eventually(() => expect(proxy.applied.at(-1)).toBe('pushed'));
    mount(zipped('older'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await operator.stop();
    await eventually(() => expect(client.connected()).toBe(false));
    mount(zipped('older-too'));
    await eventually(() => expect(harness.logs.join('')).toContain('"decision":"LateCopy"'));
    expect(proxy.applied.at(-1)).toBe('pushed');
    later = LATE_COPY_WINDOW_MS;
    mount(zipped('news'));
    await eventually(() => expect(proxy.applied.at(-1)).toBe('news'));
    expect(proxy.applied.filter((revision) => revision.startsWith('older'))).toEqual([]);
  });
});
