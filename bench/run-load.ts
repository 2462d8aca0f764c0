import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Mirrors the flags of `bench/load`. */
export interface Load {
  shape: 'unary' | 'stream' | 'mixed' | 'hold';
  connections: number;
  durationMs?: number;
  requests?: number;
  promptBytes?: number;
  typographic?: boolean;
  chunks?: number;
  intervalMs?: number;
  unknownModels?: boolean;
}

export interface LoadResult {
  seconds: number;
  requests: number;
  chunks: number;
  errors: number;
  firstErrors: string[];
  /** Milliseconds. */
  latency?: { p50: number; p99: number };
  /** Milliseconds from the request to its first content, less what the upstream waited by plan. */
  firstContent?: { p50: number; p99: number };
}

/**
 * Runs the load generator against one port. Rejects when any answer failed or was wrong: a fast wrong answer is no result.
 * With shape `hold`, `whileOpen` runs while all streams are open.
 */
export async function runLoad(program: string, port: number, load: Load, whileOpen?: () => Promise<void>): Promise<LoadResult> {
  const child = spawn(program, loadArguments(port, load), { stdio: ['pipe', 'pipe', 'inherit'] });
  let result: LoadResult | undefined;
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'open') {
        await whileOpen?.();
        child.stdin.end('\n');
      } else result = JSON.parse(line);
    }
  } finally {
    child.kill();
  }
  if (!result) throw new Error(`the load generator ended without a result: ${JSON.stringify(load)}`);
  if (result.errors > 0 || result.requests === 0) {
    const errors = result.firstErrors.map((error) => `  ${error}`).join('\n');
    throw new Error(`${result.errors} of ${result.errors + result.requests} requests failed: ${JSON.stringify(load)}\n${errors}`);
  }
  return result;
}

function loadArguments(port: number, load: Load): string[] {
  const flags: Record<string, string | number | boolean | undefined> = {
    address: `127.0.0.1:${port}`,
    shape: load.shape,
    connections: load.connections,
    duration: load.durationMs === undefined ? undefined : `${load.durationMs}ms`,
    requests: load.requests,
    'prompt-bytes': load.promptBytes,
    typographic: load.typographic,
    chunks: load.chunks,
    interval: load.intervalMs === undefined ? undefined : `${load.intervalMs}ms`,
    'unknown-models': load.unknownModels,
  };
  return Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`-${name}=${value}`]));
}
