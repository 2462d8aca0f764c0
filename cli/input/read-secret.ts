import { z } from 'zod';
import { objectMeta } from '../../crds/object-meta.ts';

/** The part of a Secret that is read. No message of it may show a value. */
const secret = z.looseObject({
  metadata: objectMeta,
  data: z
    .record(
      z.string(),
      z
        .string('write it as text, base64 encoded')
        .regex(/^[A-Za-z0-9+/\s]*={0,2}\s*$/, 'is not base64: encode it, or use stringData'),
    )
    .nullish(),
  stringData: z.record(z.string(), z.string('write it as text, in quotes')).nullish(),
});

export interface LocalSecret {
  name: string;
  /** Key to plain value. */
  values: ReadonlyMap<string, string>;
}

/** Reads a `v1` Secret as Kubernetes does: `stringData` goes before `data`. */
export function readSecret(object: unknown): { secret: LocalSecret } | { issues: readonly z.core.$ZodIssue[] } {
  const parsed = secret.safeParse(object);
  if (!parsed.success) return { issues: parsed.error.issues };
  const values = new Map<string, string>();
  for (const [key, value] of Object.entries(parsed.data.data ?? {}))
    values.set(key, Buffer.from(value, 'base64').toString('utf8'));
  for (const [key, value] of Object.entries(parsed.data.stringData ?? {})) values.set(key, value);
  return { secret: { name: parsed.data.metadata.name, values } };
}
