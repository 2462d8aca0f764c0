import type { FleetView, ProxyReport } from '../../contract/fleet.ts';
import { type RuntimeConfig, runtimeConfig } from '../../contract/runtime-config.ts';
import type { Proxy } from '../../proxy/proxy.ts';
import { proxyReport } from './reports.ts';

export interface StubProxy extends Proxy {
  /** Revisions in the order in which they were applied. */
  applied: string[];
  views: FleetView[];
  /** Merged into the next reports. */
  state: Partial<ProxyReport>;
  /** Tells that the report has news. */
  news(): void;
}

/** What `proxy/proxy.ts` promises towards the fleet, and nothing of the data plane. A config with the revision `refuse-me…` is refused. */
export function createStubProxy(name = 'proxy-a'): StubProxy {
  const listeners = new Set<() => void>();
  let served: RuntimeConfig | undefined;
  let refused: ProxyReport['refused'];
  const proxy: StubProxy = {
    applied: [],
    views: [],
    state: {},
    news() {
      for (const listener of listeners) listener();
    },
    start: async () => ({ listen: { host: '127.0.0.1', port: 0 }, admin: { host: '127.0.0.1', port: 0 } }),
    drain: async () => {},
    applyConfig(config) {
      const revision = String((config as { revision?: unknown })?.revision);
      const parsed = runtimeConfig.safeParse(config);
      if (!parsed.success || revision.startsWith('refuse-me')) {
        refused = { revision, message: parsed.error?.message ?? 'it asked for it' };
        throw new Error(`config ${revision} is refused`);
      }
      served = parsed.data;
      refused = undefined;
      proxy.applied.push(revision);
      return served;
    },
    report() {
      return proxyReport({
        proxy: name,
        ...(served === undefined ? {} : { revision: served.revision }),
        ...(refused === undefined ? {} : { refused }),
        ...proxy.state,
      });
    },
    acknowledge(ids) {
      proxy.state.failovers = (proxy.state.failovers ?? []).filter(({ id }) => !ids.includes(id));
    },
    onNews(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    adoptView: (view) => void proxy.views.push(view),
  };
  return proxy;
}
