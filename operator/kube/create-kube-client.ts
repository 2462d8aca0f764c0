import {
  type ApplyOptions,
  type CallOptions,
  FIELD_MANAGER,
  type KubeClient,
  type ListOptions,
  STATUS_FIELD_MANAGER,
} from './kube-client.ts';
import { isKubeError } from './kube-error.ts';
import type { KubeObject, ObjectMeta, ObjectName } from './kube-object.ts';
import type { KubeTransport } from './kube-transport.ts';
import { listPages } from './list-pages.ts';
import { collectionPath, objectPath, type Resource, resourceOf } from './resources.ts';
import { reviewToken } from './review-token.ts';

const APPLY = 'application/apply-patch+yaml';
const MERGE_PATCH = 'application/merge-patch+json';
/** A field that the API server does not know is an error of ours: refused, not dropped in silence. */
const STRICT = { fieldValidation: 'Strict' };

export function createKubeClient(transport: KubeTransport): KubeClient {
  async function apply<T extends KubeObject>(path: string, manager: string, body: object, options?: ApplyOptions): Promise<T> {
    const query = { fieldManager: manager, force: String(options?.force ?? true), ...STRICT };
    return await transport.request<T>({ method: 'PATCH', path, query, body, contentType: APPLY, signal: options?.signal });
  }

  return {
    async get<T extends KubeObject>(resource: Resource<T>, name: ObjectName, options?: CallOptions) {
      try {
        return await transport.request<T>({ method: 'GET', path: objectPath(resource, name), signal: options?.signal });
      } catch (error) {
        if (isKubeError(error, 'NotFound')) return undefined;
        throw error;
      }
    },

    async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}) {
      return (await listPages(transport, resource, options, options.signal)).items;
    },

    async create<T extends KubeObject>(object: T, options?: CallOptions) {
      const path = collectionPath(resourceOf(object), object.metadata.namespace);
      const query = { fieldManager: FIELD_MANAGER, ...STRICT };
      return await transport.request<T>({ method: 'POST', path, query, body: object, signal: options?.signal });
    },

    async update<T extends KubeObject>(object: T, options?: CallOptions) {
      const path = objectPath(resourceOf(object), object.metadata);
      const query = { fieldManager: FIELD_MANAGER, ...STRICT };
      return await transport.request<T>({ method: 'PUT', path, query, body: object, signal: options?.signal });
    },

    apply<T extends KubeObject>(object: T, options?: ApplyOptions) {
      const { status: _, ...rest } = object;
      const body = { ...rest, metadata: declaredMetadata(object.metadata) };
      return apply<T>(objectPath(resourceOf(object), object.metadata), FIELD_MANAGER, body, options);
    },

    applyStatus<T extends KubeObject>({ apiVersion, kind, metadata, status }: T, options?: CallOptions) {
      const { name, namespace, uid } = metadata;
      const body = { apiVersion, kind, metadata: { name, namespace, uid }, status };
      return apply<T>(objectPath(resourceOf(body), metadata, 'status'), STATUS_FIELD_MANAGER, body, options);
    },

    async mergePatch<T extends KubeObject>(resource: Resource<T>, name: ObjectName, patch: object, options?: CallOptions) {
      const path = objectPath(resource, name);
      const query = { fieldManager: FIELD_MANAGER, ...STRICT };
      return await transport.request<T>({
        method: 'PATCH',
        path,
        query,
        body: patch,
        contentType: MERGE_PATCH,
        signal: options?.signal,
      });
    },

    async delete(resource: Resource, name: ObjectName, preconditions = {}, options = {}) {
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', preconditions };
      try {
        await transport.request({ method: 'DELETE', path: objectPath(resource, name), body, signal: options.signal });
        return 'Deleted';
      } catch (error) {
        if (isKubeError(error, 'NotFound')) return 'NotFound';
        throw error;
      }
    },

    reviewToken: (token, audiences, options) => reviewToken(transport, token, audiences, options?.signal),
  };
}

/** Only what can be declared: a resource version or managed fields that were read with the object would make the API server refuse it. */
function declaredMetadata({ name, namespace, labels, annotations, ownerReferences, finalizers }: ObjectMeta): ObjectMeta {
  return { name, namespace, labels, annotations, ownerReferences, finalizers };
}
