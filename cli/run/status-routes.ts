import type { Express } from 'express';
import { KINDS } from '../../crds/kinds.ts';
import { API_VERSION } from '../../crds/names.ts';
import type { LocalStatus } from './local-status.ts';

/**
 * Serves both kinds with their status where a Kubernetes API server has them: `/apis/understudy.dev/v1alpha1/modelroutes`, and
 * `…/namespaces/<namespace>/modelroutes`. Secrets are not served.
 * `refresh` brings the status up to now.
 */
export function serveStatus(app: Express, refresh: () => LocalStatus): void {
  const lists = { ModelRoute: () => refresh().routes(), ProviderEndpoint: () => refresh().endpoints() } as const;
  for (const { kind, plural } of Object.values(KINDS)) {
    const paths = [`/apis/${API_VERSION}/${plural}`, `/apis/${API_VERSION}/namespaces/:namespace/${plural}`];
    app.get(paths, (request, response) => {
      const { namespace } = request.params;
      const items = lists[kind]().filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace);
      response.json({ apiVersion: API_VERSION, kind: `${kind}List`, metadata: { resourceVersion: '' }, items });
    });
  }
}
