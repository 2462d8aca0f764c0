import type { FaultMatch, RequestFault } from './fault.ts';
import type { LabRequest } from './lab-request.ts';

/** Faults that are set now; the first that matches a request is played. */
export interface FaultBook {
  add(fault: RequestFault, match?: FaultMatch): void;
  clear(): void;
  choose(request: LabRequest): RequestFault | undefined;
}

/** `random` gives numbers from 0 up to 1, the same ones in every run. */
export function createFaultBook(random: () => number): FaultBook {
  let entries: { fault: RequestFault; match: FaultMatch; left: number }[] = [];
  return {
    add: (fault, match = {}) => {
      entries.push({ fault, match, left: match.first ?? Number.POSITIVE_INFINITY });
    },
    clear: () => {
      entries = [];
    },
    choose: (request) => {
      for (const entry of entries) {
        if (entry.left <= 0 || !isMeant(entry.match, request)) continue;
        entry.left -= 1;
        if (entry.match.rate !== undefined && random() >= entry.match.rate) continue;
        return entry.fault;
      }
      return undefined;
    },
  };
}

function isMeant(match: FaultMatch, request: LabRequest): boolean {
  if (match.models && !match.models.includes(request.model ?? '')) return false;
  if (match.keys && !match.keys.includes(request.key ?? '')) return false;
  if (match.paths && !match.paths.some((part) => request.path.includes(part))) return false;
  return match.only === undefined || request.stream === (match.only === 'stream');
}
