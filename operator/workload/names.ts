/** Name of the Deployment, ServiceAccount, ConfigMap and PodDisruptionBudget of a namespace's proxies. */
export const PROXY_NAME = 'understudy-proxy';
/** Name of the Service: applications ask `http://understudy.<namespace>/v1`. */
export const SERVICE_NAME = 'understudy';

/** What pods are selected by. Must never change: a Deployment's selector is immutable. */
export const SELECTOR_LABELS = {
  'app.kubernetes.io/name': PROXY_NAME,
  'app.kubernetes.io/component': 'proxy',
} as const;

/** On everything that the operator makes: it deletes, and watches, nothing that does not carry them. */
export const WORKLOAD_LABELS = {
  ...SELECTOR_LABELS,
  'app.kubernetes.io/part-of': 'understudy',
  'app.kubernetes.io/managed-by': 'understudy-operator',
} as const;

export const WORKLOAD_SELECTOR = Object.entries(WORKLOAD_LABELS)
  .map(([key, value]) => `${key}=${value}`)
  .join(',');

/** Keys of the ConfigMap. */
export const CONFIG_KEY = 'config.json.gz';
export const CA_KEY = 'ca.crt';
