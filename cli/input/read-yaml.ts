import { boolYaml11Tag, CORE_SCHEMA, constructFromEvents, mergeTag, parseEvents, YAMLException } from 'js-yaml';
import type { FieldPath } from '../../crds/problem.ts';
import { locateFields } from './locate-fields.ts';

/** One document of a file: what it says, and on which line (from 1) it says it. */
export interface YamlDocument {
  value: unknown;
  line: number;
  /** The line of a field, or of the nearest thing above it that is there. */
  lineOf(path: FieldPath): number;
}

export class YamlSyntaxError extends Error {
  readonly code = 'YAML_SYNTAX';
  readonly line: number;

  constructor(reason: string, line: number, cause: unknown) {
    super(reason, { cause });
    this.name = 'YamlSyntaxError';
    this.line = line;
  }
}

/** Read as kubectl reads it: `<<` merges, and `yes`, `no`, `on` and `off` are booleans. */
const SCHEMA = CORE_SCHEMA.withTags(mergeTag, boolYaml11Tag);

/** Bounds on what a file of a few lines may unfold into. */
const MAX_ALIASES = 100;
const MAX_MERGED_KEYS = 10_000;
const MAX_DEPTH = 64;

/** Reads a file of one or more YAML (or JSON) documents. Throws a `YamlSyntaxError`, whose message shows nothing of the file: it may hold a key. */
export function readYaml(source: string): YamlDocument[] {
  try {
    const events = parseEvents(source, { maxDepth: MAX_DEPTH });
    const values = constructFromEvents(events, {
      source,
      schema: SCHEMA,
      maxAliases: MAX_ALIASES,
      maxTotalMergeKeys: MAX_MERGED_KEYS,
    });
    const lineAt = lineIndex(source);
    return locateFields(events, source).map((fields, index) => ({
      value: values[index],
      line: lineAt(fields.offsetOf([])),
      lineOf: (path) => lineAt(fields.offsetOf(path)),
    }));
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new YamlSyntaxError(error.reason, (error.mark?.line ?? 0) + 1, error);
  }
}

/** From an offset into the text to its line, from 1. */
function lineIndex(source: string): (offset: number) => number {
  const starts = [0];
  for (let at = source.indexOf('\n'); at !== -1; at = source.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
