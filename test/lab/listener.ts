import { once } from 'node:events';
import { createServer as createHTTPServer, type RequestListener } from 'node:http';
import { createServer as createHTTPSServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionFault } from './fault.ts';
import type { LabCertificate } from './lab-certificate.ts';

const HOST = '127.0.0.1';
/** Bytes that are neither an HTTP answer nor a TLS record. */
const GARBAGE = Buffer.from('SSH-2.0-OpenSSH_9.6\r\n\u0000\u0001\u0002 this is not the server that you look for\r\n\r\n');
/** Larger than a proxy passes on: what is too large is for the proxy to say. */
const MAX_HEADER_BYTES = 1024 * 1024;

/** The lab's port: HTTP or HTTPS behind a TCP server that can fail before either is spoken. */
export interface Listener {
  /** Resolves with the port; 0 picks a free one. */
  listen(port: number): Promise<number>;
  close(): Promise<void>;
  setFault(fault: ConnectionFault | undefined): Promise<void>;
  /** Resets the TCP connection under a request, TLS or not. */
  reset(socket: Socket): void;
}

export interface ListenerOptions {
  tls?: { trusted: LabCertificate; untrusted: LabCertificate };
  onRequest: RequestListener;
  onUpgrade(request: Parameters<RequestListener>[0], socket: Duplex, head: Buffer): void;
}

export function createListener({ tls, onRequest, onUpgrade }: ListenerOptions): Listener {
  const secure = tls && createHTTPSServer({ ...shown(tls.trusted), maxHeaderSize: MAX_HEADER_BYTES }, onRequest);
  const inner = secure ?? createHTTPServer({ maxHeaderSize: MAX_HEADER_BYTES }, onRequest);
  inner.on('upgrade', onUpgrade);
  // A request that is never finished is the client's affair: the lab waits as long as a provider might.
  inner.requestTimeout = 0;
  inner.headersTimeout = 0;
  inner.keepAliveTimeout = 0;
  const sockets = new Map<number, Socket>();
  let front: Server | undefined;
  let port = 0;
  let fault: ConnectionFault | undefined;

  const take = (socket: Socket) => {
    const client = socket.remotePort ?? 0;
    sockets.set(client, socket);
    socket.once('close', () => sockets.delete(client));
    // A client may reset a connection that was left to itself: that is no failure of the lab.
    socket.on('error', () => undefined);
    socket.setNoDelay(true);
    switch (fault?.kind) {
      case 'hangConnection':
        return;
      case 'resetConnection':
        socket.resetAndDestroy();
        return;
      case 'garbage':
        socket.end(GARBAGE);
        return;
      default:
        inner.emit('connection', socket);
    }
  };
  const hangUp = () => {
    for (const socket of sockets.values()) socket.destroy();
  };
  const open = async () => {
    front = createServer(take).listen(port, HOST);
    await once(front, 'listening');
    port = (front.address() as AddressInfo).port;
  };
  const shut = async () => {
    const closing = front;
    front = undefined;
    if (!closing) return;
    const closed = once(closing, 'close');
    closing.close();
    hangUp();
    await closed;
  };

  return {
    listen: async (wanted) => {
      port = wanted;
      if (fault?.kind !== 'refuse') await open();
      return port;
    },
    close: shut,
    setFault: async (next) => {
      const before = fault;
      if (before?.kind === next?.kind) return;
      fault = next;
      if (next?.kind === 'refuse') {
        await shut();
        return;
      }
      secure?.setSecureContext(shown(next?.kind === 'untrustedCertificate' ? tls!.untrusted : tls!.trusted));
      if (before?.kind === 'refuse') await open();
      // A connection that was made before the fault would hide it; one that the fault holds would outlive it.
      hangUp();
    },
    reset: (socket) => {
      const raw = sockets.get(socket.remotePort ?? -1);
      raw?.resetAndDestroy();
    },
  };
}

/** The authority stays out: a server must not take its own for one that clients are checked by. */
function shown({ key, cert }: LabCertificate): { key: string; cert: string } {
  return { key, cert };
}
