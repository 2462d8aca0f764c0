import { type ConfigFileDecision, type ConfigFileFacts, decideConfigFile, LATE_COPY_WINDOW_MS } from './decide-config-file.ts';

const facts: ConfigFileFacts = {
  fileRevision: 'file',
  seenAt: 1_000,
  servedRevision: 'served',
  channelConnected: false,
  lastPushAt: undefined,
};

describe('which config wins', () => {
  it.each<[string, Partial<ConfigFileFacts>, ConfigFileDecision]>([
    ['the file, at boot', { servedRevision: undefined }, 'Apply'],
    ['the file, when it changes while the channel never was there', {}, 'Apply'],
    ['nothing changes, when both are the same', { servedRevision: 'file' }, 'Same'],
    ['the channel, while it is open', { channelConnected: true }, 'ChannelDecides'],
    [
      'the channel, while it is open, even before its first config',
      { channelConnected: true, servedRevision: undefined },
      'ChannelDecides',
    ],
    ['the channel, over a file from before its push', { lastPushAt: 2_000 }, 'LateCopy'],
    ['the channel, over a file that may have been on its way', { lastPushAt: 1_000 - LATE_COPY_WINDOW_MS + 1 }, 'LateCopy'],
    ['the file, when it changes long after the last push', { lastPushAt: 1_000 - LATE_COPY_WINDOW_MS }, 'Apply'],
  ])('%s', (_sentence, difference, expected) => {
    expect(decideConfigFile({ ...facts, ...difference })).toBe(expected);
  });
});
