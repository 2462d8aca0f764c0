import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Backend {
  host: string;
  port: number;
}

export interface Balancer {
  host: string;
  port: number;
  stop(): Promise<void>;
}

/**
 * One port of a Service, as kube-proxy carries it: each new connection goes to the next backend, nothing is tried twice, and a connection
 * that stands stays with its backend, also when that one is no longer listed.
 */
export async function startBalancer(host: string, port: number, backends: () => readonly Backend[]): Promise<Balancer> {
  const open = new Set<Socket>();
  let turn = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const all = backends();
    turn += 1;
    const backend = all[turn % Math.max(1, all.length)];
    if (!backend) return void client.resetAndDestroy();
    const upstream = connect({ ...backend, allowHalfOpen: true, noDelay: true });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket);
      socket.pipe(other);
      // A reset of one side is a reset of the other, not a tidy end.
      socket.on('error', () => other.resetAndDestroy());
      socket.on('close', () => open.delete(socket));
    }
  });
  await listen(server, host, port);
  return {
    host,
    port,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen({ host, port });
  await once(server, 'listening');
}
