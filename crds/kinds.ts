import type { z } from 'zod';
import { modelRoute } from './model-route.ts';
import { providerEndpoint } from './provider-endpoint.ts';
import { type StructuralSchema, structuralSchema } from './structural-schema.ts';

/** How Kubernetes names a kind, and what it consists of. */
export interface KindDefinition {
  kind: Kind;
  plural: string;
  singular: string;
  shortName: string;
  description: string;
  spec: StructuralSchema;
  status: StructuralSchema;
}

const SCHEMAS = { ModelRoute: modelRoute, ProviderEndpoint: providerEndpoint } as const;
export type Kind = keyof typeof SCHEMAS;

/** Both kinds, in the order in which documents tell of them. */
export const KINDS: Record<Kind, KindDefinition> = {
  ModelRoute: define('ModelRoute', 'modelroutes', 'mroute'),
  ProviderEndpoint: define('ProviderEndpoint', 'providerendpoints', 'pep'),
};

function define(kind: Kind, plural: string, shortName: string): KindDefinition {
  const schema: z.ZodObject = SCHEMAS[kind];
  return {
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortName,
    description: schema.meta()?.description ?? '',
    spec: structuralSchema(SCHEMAS[kind].shape.spec),
    status: structuralSchema(SCHEMAS[kind].shape.status.unwrap()),
  };
}
