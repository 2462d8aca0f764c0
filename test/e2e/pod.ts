/** The parts of the API's objects that a node looks at. */
export interface ObjectMeta {
  name: string;
  namespace: string;
  uid: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  resourceVersion?: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
}

export interface Pod {
  metadata: ObjectMeta;
  spec: PodSpec;
  status?: { phase?: string; podIP?: string; conditions?: PodCondition[] };
}

export interface PodSpec {
  nodeName?: string;
  serviceAccountName?: string;
  terminationGracePeriodSeconds?: number;
  containers: Container[];
  initContainers?: Container[];
  volumes?: Volume[];
}

export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: EnvironmentVariable[];
  envFrom?: unknown[];
  ports?: { name?: string; containerPort: number }[];
  volumeMounts?: { name: string; mountPath: string; subPath?: string }[];
  startupProbe?: Probe;
  readinessProbe?: Probe;
  livenessProbe?: Probe;
  lifecycle?: { preStop?: { sleep?: { seconds: number } } };
}

export interface EnvironmentVariable {
  name: string;
  value?: string;
  valueFrom?: { fieldRef?: { fieldPath: string } };
}

export interface Probe {
  httpGet?: { path?: string; port: number | string };
  initialDelaySeconds?: number;
  periodSeconds?: number;
  timeoutSeconds?: number;
  successThreshold?: number;
  failureThreshold?: number;
}

export interface KeyToPath {
  key: string;
  path: string;
}

/** A Secret or a ConfigMap: all its keys, or some. */
export interface KeySource {
  name?: string;
  items?: KeyToPath[];
  optional?: boolean;
}

export interface Volume {
  name: string;
  configMap?: KeySource;
  secret?: Omit<KeySource, 'name'> & { secretName?: string };
  emptyDir?: object;
  projected?: { sources?: ProjectedSource[] };
}

export interface ProjectedSource {
  configMap?: KeySource;
  secret?: KeySource;
  serviceAccountToken?: { audience?: string; expirationSeconds?: number; path: string };
  downwardAPI?: { items?: { path: string; fieldRef?: { fieldPath: string } }[] };
}

export interface PodCondition {
  type: string;
  status: 'True' | 'False';
  lastTransitionTime: string;
  reason?: string;
  message?: string;
}

export interface Service {
  metadata: ObjectMeta;
  spec: {
    clusterIP?: string;
    selector?: Record<string, string>;
    ports?: { name?: string; port: number; targetPort?: number | string }[];
  };
}

export function podKey({ metadata: { namespace, name } }: { metadata: ObjectMeta }): string {
  return `${namespace}/${name}`;
}

/** Throws for a field that no node of this test knows: an empty string would be a guess. */
export function readField({ metadata, spec, status }: Pod, fieldPath: string): string {
  switch (fieldPath) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace;
    case 'metadata.uid':
      return metadata.uid;
    case 'spec.nodeName':
      return spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? '';
    case 'status.podIP':
      return status?.podIP ?? '';
    default:
      throw new Error(`the field ${fieldPath} is not known to this node`);
  }
}
