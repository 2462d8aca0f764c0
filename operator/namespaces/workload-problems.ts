import { isKubeError } from '../kube/kube-error.ts';

/** Why the workload of a namespace could not be brought to what its page says, for the status of its routes. */
export interface WorkloadProblems {
  of(namespace: string): string | undefined;
  /** An API server that is away refuses nothing: what was known before stays. */
  failed(namespace: string, error: unknown): void;
  solved(namespace: string): void;
}

/** `onChange`: the problem of a namespace is another than before. */
export function createWorkloadProblems(onChange: (namespace: string) => void): WorkloadProblems {
  const problems = new Map<string, string>();
  return {
    of: (namespace) => problems.get(namespace),
    failed(namespace, error) {
      if (isKubeError(error, 'Unreachable', 'Timeout', 'Aborted', 'ServerError', 'TooManyRequests')) return;
      const problem = error instanceof Error ? error.message : String(error);
      if (problems.get(namespace) === problem) return;
      problems.set(namespace, problem);
      onChange(namespace);
    },
    solved(namespace) {
      if (problems.delete(namespace)) onChange(namespace);
    },
  };
}
