import { dump } from 'js-yaml';
import { CONDITIONS, type ConditionType } from './conditions.ts';
import { DURATION_PATTERN } from './duration.ts';
import { EXAMPLES } from './examples.ts';
import { HEALTH_MEANINGS, HEALTH_REASON_MEANINGS, ROUTE_REASON_MEANINGS } from './health.ts';
import { KINDS, type Kind } from './kinds.ts';
import { API_VERSION, GROUP } from './names.ts';
import { PRINTER_COLUMNS } from './printer-columns.ts';
import { celString } from './structural.ts';
import type { StructuralSchema } from './structural-schema.ts';

const INTRODUCTION = `<!-- Generated from crds/*.ts by \`npm run generate\`: change those, not this file. -->
# API reference

Two kinds in \`${API_VERSION}\`, both namespaced. A [\`ProviderEndpoint\`](#providerendpoint) is one account at a provider; a
[\`ModelRoute\`](#modelroute) is a fallback chain over endpoints of its namespace. Whoever writes YAML writes \`spec\`; the operator writes
\`status\`. A duration is written as \`500ms\`, \`30s\` or \`1m30s\`, and is at most \`24h\`. An unknown field is refused.

The rules below are held by the API server, and offline by \`understudy validate\`: both read them from one place.
`;

/** Values that several fields share: these are told once, in a section of their own. */
const SHARED_VALUES = [
  { title: 'Verdicts', name: 'verdict', text: 'What the signals of a target mean.', meanings: HEALTH_MEANINGS },
  { title: 'Reasons of a verdict', name: 'reason', text: 'Why a target has its verdict.', meanings: HEALTH_REASON_MEANINGS },
  {
    title: 'Reasons of a route',
    name: 'reason',
    text: 'Why the active target of a route is the active one.',
    meanings: ROUTE_REASON_MEANINGS,
  },
] as const;

/** `docs/api.md`: every field with its default and its rules, every column, every condition and its reasons. */
export function writeReference(): string {
  const kinds = Object.keys(KINDS) as Kind[];
  const shared = SHARED_VALUES.map(({ title, text, meanings }) => `## ${title}\n\n${text}\n\n${meaningTable(meanings)}\n`);
  return `${[INTRODUCTION, ...kinds.map(kindSection), ...shared].join('\n').trimEnd()}\n`;
}

function kindSection(kind: Kind): string {
  const { plural, shortName, description, spec, status } = KINDS[kind];
  return [
    `## ${kind}`,
    description,
    `\`\`\`yaml\n${dump(EXAMPLES[kind], { lineWidth: 130, flowLevel: 4 })}\`\`\``,
    `\`kubectl get ${plural}\`, or \`${shortName}\` for short; \`${plural}.${GROUP}\` where another group has a kind of this name. \`kubectl get understudy\` shows both kinds.`,
    '### Spec',
    table(['Field', 'Type', 'Default', 'Meaning'], fieldRows(spec, '')),
    '### Messages',
    'What the API server and `understudy validate` refuse, they refuse with one of these messages.',
    table(['Field', 'Message'], messageRows(spec)),
    '### Status',
    table(['Field', 'Type', 'Meaning'], statusRows(status)),
    '### Conditions',
    table(['Condition', 'Reason', 'Meaning'], conditionRows(kind)),
    '### Columns',
    table(['Column', 'Field', 'Meaning'], columnRows(kind)),
  ]
    .map((part) => `${part}\n`)
    .join('\n');
}

type FieldRow = [name: string, type: string, fallback: string, text: string];

function fieldRows(schema: StructuralSchema, prefix: string): FieldRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const nested = field.items ?? field;
    const inner = nested.properties === undefined ? [] : fieldRows(nested, `${path}${field.items ? '[]' : ''}.`);
    const own: FieldRow = [code(path), typeName(field), defaultOf(schema, name, field), `${field.description}${limits(field)}`];
    return [own, ...inner];
  });
}

/** Nobody writes a status, so what is required of it is not worth a column. */
function statusRows(schema: StructuralSchema): string[][] {
  return fieldRows(schema, '').map(([name, type, , text]) => [name, type, text]);
}

function typeName(field: StructuralSchema): string {
  const { type, items, enum: values, format } = field;
  const shared = SHARED_VALUES.find(({ meanings }) => Object.keys(meanings).join() === values?.join());
  if (shared !== undefined) return `[${shared.name}](#${shared.title.toLowerCase().replaceAll(' ', '-')})`;
  if (values !== undefined) return values.map(code).join(' or ');
  if (isDuration(field)) return 'duration';
  if (format === 'date-time') return 'time';
  return type === 'array' && items !== undefined ? `list of ${items.type}s` : type;
}

function isDuration(field: StructuralSchema): boolean {
  const rule = `self.matches(${celString(DURATION_PATTERN.source)})`;
  return (field['x-kubernetes-validations'] ?? []).some((one) => one.rule === rule);
}

function defaultOf(parent: StructuralSchema, name: string, field: StructuralSchema): string {
  const rules = parent['x-kubernetes-validations'] ?? [];
  if (parent.required?.includes(name) || rules.some(({ rule }) => rule === `has(self.${name})`)) return '*required*';
  return field.default === undefined || field.type === 'object' ? '' : code(String(field.default));
}

function limits(field: StructuralSchema): string {
  const { minimum, maximum, maxItems, maxLength } = field;
  if (minimum !== undefined && maximum !== undefined) return ` From ${minimum} to ${maximum}.`;
  if (maxItems !== undefined) return ` At most ${maxItems}.`;
  return maxLength !== undefined && !isDuration(field) ? ` At most ${maxLength} characters.` : '';
}

/** One row a message: many fields share one. */
function messageRows(spec: StructuralSchema): string[][] {
  const fields = new Map<string, string[]>();
  for (const [field, message] of messagesOf(spec, 'spec')) {
    const known = fields.get(message) ?? [];
    if (!known.includes(code(field))) fields.set(message, [...known, code(field)]);
  }
  return [...fields].map(([message, names]) => [names.join(', '), message]);
}

function messagesOf(schema: StructuralSchema, path: string): [field: string, message: string][] {
  const rules = schema['x-kubernetes-validations'] ?? [];
  const own = rules.map(({ message, fieldPath = '' }): [string, string] => [`${path}${fieldPath}`, message]);
  const inner = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => messagesOf(field, `${path}.${name}`));
  return [...own, ...inner, ...(schema.items === undefined ? [] : messagesOf(schema.items, `${path}[]`))];
}

function conditionRows(kind: Kind): string[][] {
  return (Object.keys(CONDITIONS) as ConditionType[])
    .filter((type) => (CONDITIONS[type].kinds as readonly Kind[]).includes(kind))
    .flatMap((type) => [
      [`**${code(type)}**`, '', CONDITIONS[type].meaning],
      ...Object.entries(CONDITIONS[type].reasons).map(([reason, meaning]) => ['', code(reason), meaning]),
    ]);
}

function columnRows(kind: Kind): string[][] {
  return PRINTER_COLUMNS[kind].map(({ name, jsonPath, description, priority }) => [
    name.toUpperCase(),
    code(jsonPath),
    priority === undefined ? description : `${description} Shown with \`-o wide\`.`,
  ]);
}

function meaningTable(meanings: Record<string, string>): string {
  return table(
    ['Value', 'Meaning'],
    Object.entries(meanings).map(([value, meaning]) => [code(value), meaning]),
  );
}

/** A bar would end a cell. */
function table(header: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}
