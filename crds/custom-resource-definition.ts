import { KINDS, type Kind } from './kinds.ts';
import { GROUP, VERSION } from './names.ts';
import { PRINTER_COLUMNS } from './printer-columns.ts';

/** `kubectl get understudy` shows both kinds. */
const CATEGORY = 'understudy';

/** The CustomResourceDefinition of a kind, ready to be written as YAML. */
export function customResourceDefinition(kind: Kind): object {
  const { plural, singular, shortName, description, spec, status } = KINDS[kind];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames: [shortName], categories: [CATEGORY] },
      scope: 'Namespaced',
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: PRINTER_COLUMNS[kind],
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string', description: 'Version of the schema of this object.' },
                kind: { type: 'string', description: `\`${kind}\`.` },
                metadata: { type: 'object' }, // The API server refuses anything more here, a description too.
                spec,
                status,
              },
            },
          },
        },
      ],
    },
  };
}
