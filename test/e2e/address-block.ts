import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Where the guard of a block listens, so that two clusters on one machine never share addresses. */
const GUARD_HOST = 254;
const GUARD_PORT = 20_254;
const MAX_TRIES = 20;
/** From the third octet on: 127.0 is everyone's. */
const FIRST_NETWORK = 16;

/** 253 addresses on the loopback, of one cluster alone: every pod and every Service has one of its own. */
export interface AddressBlock {
  /** Node's own address. */
  node: string;
  /** The next one of the pods; ends where Services begin. */
  nextPod(): string;
  nextService(): string;
  release(): void;
}

const FIRST_POD = 10;
const FIRST_SERVICE = 200;

/** Linux answers on the whole of 127.0.0.0/8; other systems need an alias for each address. */
export async function claimAddressBlock(): Promise<AddressBlock> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const network = `127.${randomInt(FIRST_NETWORK, 240)}.${randomInt(256)}`;
    const guard = createServer();
    try {
      guard.listen({ port: GUARD_PORT, host: `${network}.${GUARD_HOST}`, exclusive: true });
      await once(guard, 'listening');
    } catch {
      continue; // Another cluster has it.
    }
    guard.unref();
    const take = (first: number, end: number) => {
      let next = first;
      return () => {
        if (next >= end) throw new Error(`the addresses from ${network}.${first} to ${network}.${end - 1} are used up`);
        next += 1;
        return `${network}.${next - 1}`;
      };
    };
    return {
      node: `${network}.1`,
      nextPod: take(FIRST_POD, FIRST_SERVICE),
      nextService: take(FIRST_SERVICE, GUARD_HOST),
      release: () => void guard.close(),
    };
  }
  throw new Error(`no free block of loopback addresses in ${MAX_TRIES} tries: does 127.16.0.1 answer on this machine?`);
}
