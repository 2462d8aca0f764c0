/** From the top of an object to one of its fields: `['spec', 'regions', 1, 'baseURL']`. */
export type FieldPath = readonly (string | number)[];

/** What is wrong with one field of an object, in words that say what to do. No value is in it: it could be a key. */
export interface Problem {
  path: FieldPath;
  message: string;
}

/** `spec.regions[1].baseURL`, as the API server writes it. */
export function formatFieldPath(path: FieldPath): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}
