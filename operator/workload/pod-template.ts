import { FLEET_AUDIENCE } from '../../contract/fleet.ts';
import type { CredentialRef, RuntimeConfig } from '../../contract/runtime-config.ts';
import { CA_KEY, CONFIG_KEY, PROXY_NAME, SELECTOR_LABELS, WORKLOAD_LABELS } from './names.ts';
import type { ProxySettings } from './proxy-settings.ts';

export const HTTP_PORT = { name: 'http', containerPort: 8080 } as const;
export const ADMIN_PORT = { name: 'admin', containerPort: 9091 } as const;

/** Where the container finds what is mounted into it. */
export const PATHS = {
  config: '/etc/understudy/config',
  ca: '/etc/understudy/ca',
  credentials: '/etc/understudy/credentials',
  token: '/var/run/secrets/understudy',
} as const;

/** Load balancers go on sending for a moment after a pod is told to stop: it goes on taking for that long. */
export const ENDPOINT_REMOVAL_SECONDS = 5;
/** Longest wait for what runs when a pod stops. As long as the default deadline of a request. */
export const DRAIN_SECONDS = 120;
/** What a process needs to end after its drain, before it is killed. */
const EXIT_SECONDS = 10;

/** The kubelet renews a token at 80 % of this. The shortest that is of use: a token that leaks is soon of none. */
const TOKEN_LIFETIME_SECONDS = 3_600;
/** A user without a name, that owns nothing on any node. */
const USER = 65_532;

/** The pod of a proxy, in Kubernetes' restricted security profile. Changes only when proxies have to be started anew. */
export function podTemplate(config: RuntimeConfig, settings: ProxySettings): object {
  return {
    metadata: {
      labels: { ...WORKLOAD_LABELS },
      annotations: { 'kubectl.kubernetes.io/default-container': 'proxy' },
    },
    spec: {
      serviceAccountName: PROXY_NAME,
      // The proxy has nothing to say to the API server: its one token is the projected one below, for the operator alone.
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: ENDPOINT_REMOVAL_SECONDS + DRAIN_SECONDS + EXIT_SECONDS,
      ...(settings.imagePullSecrets.length > 0 ? { imagePullSecrets: settings.imagePullSecrets.map((name) => ({ name })) } : {}),
      securityContext: {
        runAsNonRoot: true,
        runAsUser: USER,
        runAsGroup: USER,
        fsGroup: USER,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      topologySpreadConstraints: ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: { ...SELECTOR_LABELS } },
      })),
      containers: [proxyContainer(settings)],
      volumes: volumes(config),
    },
  };
}

function proxyContainer(settings: ProxySettings): object {
  return {
    name: 'proxy',
    image: settings.image,
    imagePullPolicy: settings.imagePullPolicy,
    command: ['understudy'],
    args: [
      'proxy',
      ...['--listen', `:${HTTP_PORT.containerPort}`],
      ...['--admin', `:${ADMIN_PORT.containerPort}`],
      ...['--operator', settings.operatorURL],
      ...['--operator-ca', `${PATHS.ca}/${CA_KEY}`],
      ...['--token', `${PATHS.token}/token`],
      ...['--config', `${PATHS.config}/${CONFIG_KEY}`],
      ...['--credentials', PATHS.credentials],
      ...['--drain', `${DRAIN_SECONDS}s`],
      ...['--log-level', settings.logLevel],
    ],
    env: [
      { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
      { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } } },
    ],
    ports: [HTTP_PORT, ADMIN_PORT].map((port) => ({ ...port, protocol: 'TCP' })),
    resources: settings.resources,
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    startupProbe: { ...adminProbe('/healthz'), periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { ...adminProbe('/readyz'), periodSeconds: 2, failureThreshold: 2 },
    livenessProbe: { ...adminProbe('/healthz'), periodSeconds: 10, failureThreshold: 6 },
    lifecycle: { preStop: { sleep: { seconds: ENDPOINT_REMOVAL_SECONDS } } },
    volumeMounts: [
      { name: 'config', mountPath: PATHS.config, readOnly: true },
      { name: 'ca', mountPath: PATHS.ca, readOnly: true },
      { name: 'credentials', mountPath: PATHS.credentials, readOnly: true },
      { name: 'token', mountPath: PATHS.token, readOnly: true },
    ],
  };
}

function adminProbe(path: string): object {
  return { httpGet: { path, port: ADMIN_PORT.name, scheme: 'HTTP' }, timeoutSeconds: 3, successThreshold: 1 };
}

function volumes(config: RuntimeConfig): object[] {
  return [
    { name: 'config', configMap: { name: PROXY_NAME, items: [{ key: CONFIG_KEY, path: CONFIG_KEY }] } },
    { name: 'ca', configMap: { name: PROXY_NAME, items: [{ key: CA_KEY, path: CA_KEY }] } },
    { name: 'credentials', projected: { sources: credentials(config).map(credentialSource) } },
    {
      name: 'token',
      projected: {
        sources: [
          { serviceAccountToken: { audience: FLEET_AUDIENCE, expirationSeconds: TOKEN_LIFETIME_SECONDS, path: 'token' } },
        ],
      },
    },
  ];
}

/** Optional, so that one missing Secret does not keep the other targets from being served: the proxy reports it. */
function credentialSource({ secret, key }: CredentialRef): object {
  return { secret: { name: secret, items: [{ key, path: `${secret}/${key}` }], optional: true } };
}

/** Every key that some endpoint needs, once, in a stable order: an order that changes would start every proxy anew. */
function credentials(config: RuntimeConfig): CredentialRef[] {
  const byPath = new Map(
    config.endpoints.flatMap(({ credential }) => (credential ? [[`${credential.secret}/${credential.key}`, credential]] : [])),
  );
  return [...byPath.keys()].sort().map((path) => byPath.get(path)!);
}
