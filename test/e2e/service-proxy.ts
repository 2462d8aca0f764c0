import { writeFileSync } from 'node:fs';
import { type Pod, podKey, type Service } from './pod.ts';
import { type Balancer, startBalancer } from './tcp-balancer.ts';

/** Below it a port needs root: it is then carried this much higher. */
const FIRST_FREE_PORT = 1024;
const SHIFT = 8_000;

/** What kube-proxy and the cluster's DNS do for Services, on loopback addresses. */
export interface ServiceProxy {
  /** Called at each look at the cluster. Ready pods of each Service are found here, since EndpointSlices refuse loopback addresses. */
  update(services: readonly Service[], pods: readonly Pod[]): Promise<void>;
  /** Address of a port of a Service, once there is one. */
  address(namespace: string, name: string, port: number): { host: string; port: number } | undefined;
  stop(): Promise<void>;
}

interface Carried {
  host: string;
  service: Service;
  balancers: Map<number, Balancer>;
}

export function createServiceProxy(hostsFile: string, nextAddress: () => string): ServiceProxy {
  const carried = new Map<string, Carried>();
  let pods: readonly Pod[] = [];
  let written: string | undefined;

  const backendsOf = (service: Service, port: NonNullable<Service['spec']['ports']>[number]) =>
    readyPods(service, pods).map((pod) => ({ host: pod.status!.podIP!, port: targetPort(pod, port.targetPort ?? port.port) }));

  async function carry(key: string, service: Service): Promise<void> {
    const entry = carried.get(key) ?? { host: nextAddress(), service, balancers: new Map<number, Balancer>() };
    entry.service = service;
    carried.set(key, entry);
    for (const { port } of service.spec.ports ?? []) {
      if (entry.balancers.has(port)) continue;
      const listed = () => {
        const present = entry.service.spec.ports?.find((one) => one.port === port);
        return present ? backendsOf(entry.service, present) : [];
      };
      entry.balancers.set(port, await startBalancer(entry.host, port < FIRST_FREE_PORT ? port + SHIFT : port, listed));
    }
  }

  /** A name for a Service with an address, and one for each ready pod of a Service without. */
  function writeHosts(services: readonly Service[]): void {
    const lines = services.flatMap((service) => {
      const name = `${service.metadata.name}.${service.metadata.namespace}.svc`;
      const hosts = isHeadless(service)
        ? readyPods(service, pods).map(({ status }) => status!.podIP!)
        : [carried.get(podKey(service))!.host];
      return hosts.map((host) => `${host} ${name}`);
    });
    const text = lines.join('\n');
    if (text !== written) writeFileSync(hostsFile, text);
    written = text;
  }

  return {
    async update(services, present) {
      pods = present;
      const selecting = services.filter(({ spec }) => spec.selector !== undefined);
      const wanted = new Map(selecting.filter((service) => !isHeadless(service)).map((service) => [podKey(service), service]));
      for (const [key, entry] of carried) {
        if (wanted.has(key)) continue;
        carried.delete(key);
        for (const balancer of entry.balancers.values()) await balancer.stop();
      }
      for (const [key, service] of wanted) await carry(key, service);
      writeHosts(selecting);
    },
    address: (namespace, name, port) => carried.get(`${namespace}/${name}`)?.balancers.get(port),
    async stop() {
      for (const { balancers } of carried.values()) for (const balancer of balancers.values()) await balancer.stop();
      carried.clear();
    },
  };
}

function isHeadless({ spec }: Service): boolean {
  return spec.clusterIP === 'None';
}

function readyPods({ metadata: { namespace }, spec: { selector = {} } }: Service, pods: readonly Pod[]): Pod[] {
  return pods.filter(
    ({ metadata, status }) =>
      metadata.namespace === namespace &&
      metadata.deletionTimestamp === undefined &&
      status?.podIP !== undefined &&
      Object.entries(selector).every(([key, value]) => metadata.labels?.[key] === value) &&
      status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  );
}

function targetPort({ spec }: Pod, port: number | string): number {
  if (typeof port === 'number') return port;
  const found = spec.containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === port);
  if (!found) throw new Error(`no container has a port that is named ${port}`);
  return found.containerPort;
}
