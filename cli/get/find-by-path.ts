/** One step of a path: a field, every item of a list, one item, or the items whose field has a value. */
const STEP = /\.(?<field>[A-Za-z_][\w-]*)|\[\*\]|\[(?<index>\d+)\]|\[\?\(@\.(?<where>\w+)\s*==\s*["'](?<value>[^"']*)["']\)\]/gy;

/**
 * The part of Kubernetes' JSONPath that printer columns use: `.status.active`, `.spec.regions[*].name`, `[0]`,
 * `.status.conditions[?(@.type=="Accepted")].reason`. What is not there is left out.
 */
export function findByPath(object: unknown, path: string): unknown[] {
  let found: unknown[] = [object];
  let read = 0;
  for (const match of path.matchAll(STEP)) {
    read += match[0].length;
    const { field, index, where, value } = match.groups!;
    found = found.flatMap((each) => {
      if (field !== undefined) return present((each as Record<string, unknown>)[field]);
      if (!Array.isArray(each)) return [];
      if (index !== undefined) return present(each[Number(index)]);
      return where === undefined ? each : each.filter((item) => String((item as Record<string, unknown>)?.[where]) === value);
    });
  }
  if (read !== path.length)
    throw new SyntaxError(`the path "${path}" has a step that is not known, after "${path.slice(0, read)}"`);
  return found;
}

function present(value: unknown): unknown[] {
  return value === undefined || value === null ? [] : [value];
}
