import type { CaData } from './ca-store.ts';
import { assertKeyPair, type KeyPair, validityOf } from './issue-certificate.ts';

/** Long, since a change of CA needs every proxy to read a new bundle; not for ever, so that the change is practised. */
export const CA_LIFETIME_MS = 2 * 365 * 24 * 60 * 60_000;
/**
 * How long the old and the new CA are both trusted, before and after the switch. A ConfigMap reaches its pods within minutes; a day
 * covers nodes and operators that were away.
 */
export const CA_OVERLAP_MS = 24 * 60 * 60_000;

/** A change of CA goes Settled → Announced (new one trusted, old one signs) → Switched (new one signs, old one trusted) → Settled. */
export type CaState =
  | { phase: 'Settled'; current: KeyPair }
  | { phase: 'Announced'; current: KeyPair; next: KeyPair; since: number }
  | { phase: 'Switched'; current: KeyPair; previous: string; since: number };

/** The Secret holds something that is no CA. */
export class CaUnreadableError extends Error {
  readonly code = 'FLEET_CA_UNREADABLE';

  constructor(cause: unknown) {
    super(
      `the operator's CA can't be read (${cause instanceof Error ? cause.message : String(cause)}): ` +
        'delete its Secret, and a new CA is made; the proxies connect again as soon as they have read it',
      { cause },
    );
    this.name = 'CaUnreadableError';
  }
}

/** What time asks for now. A new CA is made by the caller, since that takes randomness. */
export type CaStep = { action: 'Keep' } | { action: 'Replace' } | { action: 'Announce' } | { action: 'Become'; state: CaState };

export function nextCaStep(state: CaState, now: number): CaStep {
  const { from, until } = validityOf(state.current.certificate);
  // Nobody trusts an ended CA: there is nothing to overlap with.
  if (now >= until) {
    return state.phase === 'Announced' && now < validityOf(state.next.certificate).until
      ? { action: 'Become', state: { phase: 'Settled', current: state.next } }
      : { action: 'Replace' };
  }
  switch (state.phase) {
    case 'Settled':
      return now >= renewalTime({ from, until }) ? { action: 'Announce' } : { action: 'Keep' };
    case 'Announced':
      if (now < state.since + CA_OVERLAP_MS) return { action: 'Keep' };
      return {
        action: 'Become',
        state: { phase: 'Switched', current: state.next, previous: state.current.certificate, since: now },
      };
    case 'Switched':
      if (now < state.since + CA_OVERLAP_MS) return { action: 'Keep' };
      return { action: 'Become', state: { phase: 'Settled', current: state.current } };
  }
}

/** Renewed at two thirds of its life: the last third is for what goes wrong with that. */
export function renewalTime({ from, until }: { from: number; until: number }): number {
  return from + ((until - from) * 2) / 3;
}

/** All certificates that a proxy should trust now, as one PEM text. */
export function bundleOf(state: CaState): string {
  return trusted(state)
    .map((certificate) => `${certificate.trim()}\n`)
    .join('');
}

function trusted(state: CaState): string[] {
  switch (state.phase) {
    case 'Settled':
      return [state.current.certificate];
    case 'Announced':
      return [state.current.certificate, state.next.certificate];
    case 'Switched':
      return [state.current.certificate, state.previous];
  }
}

export function writeCaState(state: CaState): CaData {
  const current = { 'ca.crt': state.current.certificate, 'ca.key': state.current.key };
  switch (state.phase) {
    case 'Settled':
      return current;
    case 'Announced':
      return { ...current, 'next.crt': state.next.certificate, 'next.key': state.next.key, since: time(state.since) };
    case 'Switched':
      return { ...current, 'previous.crt': state.previous, since: time(state.since) };
  }
}

/** Throws `CaUnreadableError`. */
export function readCaState(data: CaData): CaState {
  try {
    const current = pair(data, 'ca');
    if (data['next.crt'] !== undefined) return { phase: 'Announced', current, next: pair(data, 'next'), since: since(data) };
    if (data['previous.crt'] !== undefined) {
      validityOf(data['previous.crt']);
      return { phase: 'Switched', current, previous: data['previous.crt'], since: since(data) };
    }
    return { phase: 'Settled', current };
  } catch (error) {
    throw new CaUnreadableError(error);
  }
}

function pair(data: CaData, name: string): KeyPair {
  const certificate = data[`${name}.crt`];
  const key = data[`${name}.key`];
  if (!certificate || !key) throw new Error(`${name}.crt or ${name}.key is missing`);
  const found = { certificate, key };
  assertKeyPair(found);
  return found;
}

function since(data: CaData): number {
  const found = Date.parse(data.since ?? '');
  if (Number.isNaN(found)) throw new Error('since is missing or no time');
  return found;
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
