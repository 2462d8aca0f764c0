import { API_VERSION } from '../../crds/names.ts';
import { CliError } from '../cli-error.ts';
import type { ResourceKind } from './resource-kinds.ts';

/** Status from this machine comes at once; what takes longer hangs. */
const TIMEOUT_MS = 5_000;

/** An object as the admin address serves it. */
export interface ServedObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; [field: string]: unknown };
  [field: string]: unknown;
}

/** The objects of one kind that a running `understudy run` knows, by name. */
export async function fetchObjects(admin: URL, { plural }: ResourceKind, signal?: AbortSignal): Promise<ServedObject[]> {
  const url = new URL(`/apis/${API_VERSION}/${plural}`, admin);
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(url, { signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]) });
  } catch (error) {
    signal?.throwIfAborted();
    throw unreachable(admin, error);
  }
  const list = response.ok
    ? ((await response.json().catch(() => undefined)) as { items?: ServedObject[] } | undefined)
    : undefined;
  if (!Array.isArray(list?.items)) {
    throw new CliError(
      'NOT_UNDERSTUDY',
      `what listens on ${admin.origin} does not know ${plural} (HTTP ${response.status}): give the admin address of "understudy run" with --admin`,
    );
  }
  return list.items;
}

function unreachable(admin: URL, error: unknown): CliError {
  const { code, name } =
    (error as Error).cause instanceof Error
      ? ((error as Error).cause as NodeJS.ErrnoException)
      : (error as NodeJS.ErrnoException);
  if (code === 'ECONNREFUSED') {
    return new CliError(
      'NOTHING_LISTENS',
      `nothing listens on ${admin.origin}: start "understudy run --config DIR", or give its admin address with --admin (in a cluster use kubectl)`,
      { cause: error },
    );
  }
  return new CliError(
    'UNREACHABLE',
    `${admin.origin} does not answer (${code ?? name}): is that the admin address of "understudy run"?`,
    {
      cause: error,
    },
  );
}
