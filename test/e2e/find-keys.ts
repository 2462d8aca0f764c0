import { ADMIN_PORT } from '../../operator/workload/pod-template.ts';
import { type Cluster, SYSTEM } from './cluster.ts';

const OPERATOR_ADMIN_PORT = 8081;

/**
 * Everything of a cluster that people and machines can read, by where it is: what the pods printed, every object but the Secrets, and the
 * metrics of all pods that run now.
 */
export async function everythingReadable(cluster: Cluster, namespaces: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const [name, text] of cluster.logs()) texts.set(`log ${name}`, text);
  const listed = await cluster.kubectl(['api-resources', '--verbs=list', '-o', 'name']);
  const kinds = listed.split('\n').filter((kind) => kind !== '' && kind !== 'secrets');
  texts.set('objects', await cluster.kubectl(['get', kinds.join(','), '-A', '-o', 'yaml']));
  for (const kind of ['modelroutes', 'providerendpoints', 'events', 'pods', 'deployments']) {
    texts.set(`kubectl describe ${kind}`, await cluster.kubectl(['describe', kind, '-A']));
  }
  for (const namespace of namespaces) {
    const port = namespace === SYSTEM ? OPERATOR_ADMIN_PORT : ADMIN_PORT.containerPort;
    for (const pod of cluster.pods(namespace)) {
      texts.set(`metrics of ${pod.pod.metadata.name}`, await cluster.page(pod, port, '/metrics'));
    }
  }
  texts.set('audit log', JSON.stringify(cluster.controlPlane.auditLog()));
  return texts;
}

/** Where one of the keys stands, as it is or in base64. */
export function findKeys(texts: ReadonlyMap<string, string>, keys: readonly string[]): string[] {
  return [...texts].flatMap(([place, text]) =>
    keys.flatMap((key) => {
      const at = [key, Buffer.from(key).toString('base64').replace(/=+$/, '').slice(0, -1)].map((form) => text.indexOf(form));
      const first = at.find((index) => index >= 0);
      return first === undefined ? [] : [`${place}: …${text.slice(Math.max(0, first - 120), first + 20)}…`];
    }),
  );
}
