/** What the operator's settings say about the proxies of every namespace. */
export interface ProxySettings {
  image: string;
  imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  imagePullSecrets: readonly string[];
  replicas: number;
  resources: { requests: Record<string, string>; limits: Record<string, string> };
  /** Where proxies reach the operator: `https://understudy-operator.understudy-system.svc:9443`. */
  operatorURL: string;
  logLevel: string;
}
