import type { RuntimeConfig } from '../../contract/runtime-config.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { CA_KEY, CONFIG_KEY, PROXY_NAME, SELECTOR_LABELS, SERVICE_NAME, WORKLOAD_LABELS } from './names.ts';
import { HTTP_PORT, podTemplate } from './pod-template.ts';
import type { ProxySettings } from './proxy-settings.ts';

export interface WorkloadInput {
  namespace: string;
  config: RuntimeConfig;
  /** `encodeConfig(config)`. */
  encodedConfig: Buffer;
  /** PEM of every CA that proxies should trust. */
  caBundle: string;
  settings: ProxySettings;
}

/** How long pods of a new version must have been ready before the next old one goes. */
const MIN_READY_SECONDS = 5;

/**
 * Everything that a namespace's proxies need, in the order in which it has to be made: a pod does not start without its ServiceAccount
 * and its ConfigMap. It is deleted in the opposite order, so the ServiceAccount is the first to come and the last to go: where one
 * stands, something may be left to clean up.
 */
export function workload({ namespace, config, encodedConfig, caBundle, settings }: WorkloadInput): KubeObject[] {
  const metadata = (name: string) => ({ name, namespace, labels: { ...WORKLOAD_LABELS } });
  return [
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: metadata(PROXY_NAME),
      automountServiceAccountToken: false,
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata(PROXY_NAME),
      data: { [CA_KEY]: caBundle },
      binaryData: { [CONFIG_KEY]: encodedConfig.toString('base64') },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata(SERVICE_NAME),
      spec: {
        type: 'ClusterIP',
        selector: { ...SELECTOR_LABELS },
        ports: [{ name: 'http', port: 80, targetPort: HTTP_PORT.name, protocol: 'TCP', appProtocol: 'http' }],
      },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: metadata(PROXY_NAME),
      // Not `minAvailable`: with one replica that would keep a node from ever being drained.
      spec: { maxUnavailable: 1, selector: { matchLabels: { ...SELECTOR_LABELS } } },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadata(PROXY_NAME),
      spec: {
        replicas: settings.replicas,
        minReadySeconds: MIN_READY_SECONDS,
        revisionHistoryLimit: 3,
        selector: { matchLabels: { ...SELECTOR_LABELS } },
        // A new pod stands before an old one goes: requests always have somewhere to go.
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: podTemplate(config, settings),
      },
    },
  ];
}
