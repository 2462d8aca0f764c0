import type { KubeObject } from './kube-object.ts';
import type { KubeTransport } from './kube-transport.ts';
import { collectionPath, type Resource } from './resources.ts';

/** What client-go uses: an answer of bounded size, in few round trips. */
export const PAGE_SIZE = 500;

export interface Selection {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

interface ListAnswer<T> {
  metadata?: { resourceVersion?: string; continue?: string };
  items?: T[];
}

export interface Listed<T> {
  items: T[];
  /** Where a watch goes on from. */
  resourceVersion: string;
}

/**
 * All objects of a selection, as of one moment. A read from the quorum, never from an API server's possibly stale cache: a copy must
 * not go back in time. Fails with `Expired` when the pages took so long that the moment was compacted away: begin again.
 */
export async function listPages<T extends KubeObject>(
  transport: KubeTransport,
  resource: Resource<T>,
  { namespace, labelSelector, fieldSelector }: Selection,
  signal?: AbortSignal,
  pageSize: number = PAGE_SIZE,
): Promise<Listed<T>> {
  const items: T[] = [];
  let page: string | undefined;
  for (;;) {
    const answer: ListAnswer<T> = await transport.request<ListAnswer<T>>({
      method: 'GET',
      path: collectionPath(resource, namespace),
      query: { limit: String(pageSize), continue: page, labelSelector, fieldSelector },
      signal,
    });
    // In a list the API server leaves out what all items share.
    for (const item of answer.items ?? []) items.push({ ...item, apiVersion: resource.apiVersion, kind: resource.kind });
    page = answer.metadata?.continue || undefined;
    if (page === undefined) return { items, resourceVersion: answer.metadata?.resourceVersion ?? '' };
  }
}
