import { parseArgs } from 'node:util';
import { SUBJECTS, type SubjectName } from './subjects.ts';

export interface Options {
  help: boolean;
  only: readonly SubjectName[];
  rounds: number;
  /** Factor on every measured duration. */
  pace: number;
  /** Requests of the heap step; 0 leaves it out. */
  heapRequests: number;
}

export const HELP = `Measures Understudy beside a bare relay (the floor) and an express + http-proxy relay, in one interleaved run.

Usage: node bench/main.ts [options]

  --only NAMES     what to measure, comma-separated: ${SUBJECTS.join(', ')} (default: all)
  --rounds N       rounds to take the median of (default: 5)
  --quick          2 rounds, each a third as long, and no heap step: for a look, not for figures
  --million        a million requests in the heap step (default: 100,000)
  --requests N     as many requests in the heap step; 0 leaves it out
  --help           this text

The table goes to standard output, progress to standard error, everything measured to bench/.cache/result.json.
Needs Go 1.25 or newer for the upstream and the load generator.
`;

const ROUNDS = 5;
const HEAP_REQUESTS = 100_000;
const MILLION = 1_000_000;
const MAX_ROUNDS = 100;

/** Throws with a message for the user when the arguments can't be used. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h' },
      only: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean' },
      million: { type: 'boolean' },
      requests: { type: 'string' },
    },
  });
  const quick = values.quick ?? false;
  const only = values.only?.split(',').map((name) => {
    const known = SUBJECTS.find((subject) => subject === name.trim());
    if (!known) throw new Error(`--only ${name}: not one of ${SUBJECTS.join(', ')}`);
    return known;
  });
  return {
    help: values.help ?? false,
    only: only ?? SUBJECTS,
    rounds: count('--rounds', values.rounds, 1, MAX_ROUNDS) ?? (quick ? 2 : ROUNDS),
    pace: quick ? 1 / 3 : 1,
    heapRequests: count('--requests', values.requests, 0, 10 * MILLION) ?? (values.million ? MILLION : quick ? 0 : HEAP_REQUESTS),
  };
}

function count(flag: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new Error(`${flag} ${text}: must be a whole number from ${min} to ${max}`);
  }
  return value;
}
