import type { Container, Probe } from './pod.ts';

export type ProbeVerdict = 'Unknown' | 'Success' | 'Failure';

/** One probe of one container, in the kubelet's way of counting. */
export interface Prober {
  verdict(): ProbeVerdict;
  stop(): void;
}

/** Asks at the probe's period until stopped; calls `onVerdict` when the verdict changes. */
export function startProber(
  { ports = [] }: Container,
  probe: Probe,
  address: string,
  onVerdict: (verdict: ProbeVerdict) => void,
): Prober {
  const { periodSeconds = 10, timeoutSeconds = 1, successThreshold = 1, failureThreshold = 3, initialDelaySeconds = 0 } = probe;
  const { httpGet } = probe;
  if (!httpGet) throw new Error('this node probes by httpGet only');
  const port = typeof httpGet.port === 'number' ? httpGet.port : ports.find(({ name }) => name === httpGet.port)?.containerPort;
  if (port === undefined) throw new Error(`a probe names the port ${httpGet.port}, which the container does not have`);
  const url = `http://${address}:${port}${httpGet.path ?? '/'}`;
  let verdict: ProbeVerdict = 'Unknown';
  let inRow = { succeeded: false, count: 0 };
  let stopped = false;
  let timer = setTimeout(ask, initialDelaySeconds * 1_000);

  async function ask(): Promise<void> {
    const succeeded = await answersWell(url, timeoutSeconds * 1_000);
    if (stopped) return;
    inRow = inRow.succeeded === succeeded ? { succeeded, count: inRow.count + 1 } : { succeeded, count: 1 };
    const enough = inRow.count >= (succeeded ? successThreshold : failureThreshold);
    const next = succeeded ? 'Success' : 'Failure';
    if (enough && verdict !== next) {
      verdict = next;
      onVerdict(verdict);
    }
    if (!stopped) timer = setTimeout(ask, periodSeconds * 1_000);
  }

  return {
    verdict: () => verdict,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

async function answersWell(url: string, timeoutMs: number): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), headers: { connection: 'close' } });
    await response.arrayBuffer();
    return response.status >= 200 && response.status < 400;
  } catch {
    return false; // Refused, reset or late: all of them are what a probe is for.
  }
}
