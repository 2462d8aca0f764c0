import { z } from 'zod';
import { KINDS, type Kind } from './kinds.ts';
import { matching } from './structural.ts';
import { type StructuralSchema, structuralSchema } from './structural-schema.ts';

function fields(schema: StructuralSchema, path: string): [path: string, schema: StructuralSchema][] {
  const inner = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => fields(field, `${path}.${name}`));
  return [[path, schema], ...inner, ...(schema.items === undefined ? [] : fields(schema.items, `${path}[]`))];
}

const ALL = (Object.keys(KINDS) as Kind[]).flatMap((kind) => [
  ...fields(KINDS[kind].spec, `${kind}.spec`),
  ...fields(KINDS[kind].status, `${kind}.status`),
]);

describe('the schemas of both kinds', () => {
  it('document every field', () => {
    const silent = ALL.filter(([path, { description = '' }]) => !path.endsWith('[]') && !/\.$/.test(description));
    expect(silent.map(([path]) => path)).toEqual([]);
  });

  it('bound every list and every text of a spec, so that the cost of a rule is bounded', () => {
    const unbounded = ALL.filter(
      ([path, { type, maxItems, maxLength, enum: values }]) =>
        path.includes('.spec') &&
        ((type === 'array' && maxItems === undefined) || (type === 'string' && maxLength === undefined && values === undefined)),
    );
    expect(unbounded.map(([path]) => path)).toEqual([]);
  });

  it('hold nothing that the API server does not take in a structural schema', () => {
    const text = JSON.stringify(ALL);
    for (const word of ['additionalProperties', 'x-understudy', '"pattern"', 'anyOf', 'oneOf', '$ref', 'exclusiveM']) {
      expect(text).not.toContain(word);
    }
  });
});

describe('the conversion of a zod schema', () => {
  it('turns a required field that has a message into a rule of its parent', () => {
    const schema = z.strictObject({
      told: z.string().meta({ 'x-understudy-required': 'write told: …' }),
      untold: z.string(),
    });
    expect(structuralSchema(schema)).toEqual({
      type: 'object',
      required: ['untold'],
      properties: { told: { type: 'string' }, untold: { type: 'string' } },
      'x-kubernetes-validations': [
        { rule: 'has(self.told)', message: 'write told: …', fieldPath: '.told', reason: 'FieldValueRequired' },
      ],
    });
  });

  it('writes out the defaults within a default', () => {
    const schema = z.strictObject({ inner: z.strictObject({ text: z.string().default('a') }).prefault({}) });
    expect(structuralSchema(schema).properties!.inner!.default).toEqual({ text: 'a' });
  });

  it('makes a rule of a pattern, and refuses one that came another way', () => {
    const text = z.string();
    expect(structuralSchema(matching(text, /^\[a'\]$/, 'be a'))['x-kubernetes-validations']).toEqual([
      { rule: "self.matches('^\\\\[a\\'\\\\]$')", message: 'be a' },
    ]);
    expect(() => structuralSchema(z.strictObject({ field: text.regex(/a/) }))).toThrow(/\.field: the pattern a is no rule/);
  });
});
