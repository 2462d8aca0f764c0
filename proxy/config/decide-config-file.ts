import type { ConfigPush } from './config-channel.ts';

/** How long a ConfigMap may take to reach its pods: kubelet syncs each minute, with a cache of up to another; and room. */
export const LATE_COPY_WINDOW_MS = 5 * 60_000;

export interface ConfigFileFacts {
  fileRevision: string;
  /** When the file was seen to have this content. Same clock as the pushes. */
  seenAt: number;
  servedRevision: string | undefined;
  channelConnected: boolean;
  channelPushes: readonly ConfigPush[];
}

export type ConfigFileDecision =
  /** It is the news. */
  | 'Apply'
  /** It is what is served. */
  | 'Same'
  /** The channel is open, and what it pushes wins. */
  | 'ChannelDecides'
  /** The channel had pushed this before something newer: a copy that was long on its way. */
  | 'LateCopy';

/**
 * Which of the two ways of a config wins. The operator writes the ConfigMap and pushes at once, and a ConfigMap is a minute or two on its
 * way; so:
 * 1. While the channel is open, only the channel decides. The file is looked at again when the channel is away.
 * 2. While it is away, a file that is not what is served is applied: at boot, and at each change.
 * 3. But not when the channel pushed that revision earlier, and something newer after it, within the time that a ConfigMap takes: the file
 *    is then a late copy, and applying it would go back.
 */
export function decideConfigFile(facts: ConfigFileFacts): ConfigFileDecision {
  const { fileRevision, seenAt, servedRevision, channelConnected, channelPushes } = facts;
  if (channelConnected) return 'ChannelDecides';
  if (fileRevision === servedRevision) return 'Same';
  const last = channelPushes.findLastIndex(({ revision }) => revision === fileRevision);
  const newer = channelPushes[last + 1];
  if (last !== -1 && newer !== undefined && seenAt - newer.at < LATE_COPY_WINDOW_MS) return 'LateCopy';
  return 'Apply';
}
