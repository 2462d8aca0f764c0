import type { Kind } from './kinds.ts';

/** A column of `kubectl get`, as a CRD holds it. */
export interface PrinterColumn {
  name: string;
  type: 'string' | 'integer' | 'date';
  jsonPath: string;
  description: string;
  /** Above 0: shown with `-o wide` only. */
  priority?: 1;
}

const AGE: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'How long the object exists.',
};

/** What `kubectl get` and `understudy get` show: who is on stage, why, and since when. */
export const PRINTER_COLUMNS: Record<Kind, readonly PrinterColumn[]> = {
  ModelRoute: [
    { name: 'Active', type: 'string', jsonPath: '.status.active', description: 'Target that answers now.' },
    { name: 'Health', type: 'string', jsonPath: '.status.health', description: 'Verdict on that target.' },
    { name: 'Reason', type: 'string', jsonPath: '.status.reason', description: 'Why this target is the active one.' },
    { name: 'Since', type: 'date', jsonPath: '.status.since', description: 'Since when it is.' },
    { name: 'Failovers', type: 'integer', jsonPath: '.status.failovers', description: 'Times that traffic moved away.' },
    {
      name: 'Proxies',
      type: 'string',
      jsonPath: '.status.proxies.summary',
      description: 'Proxies that serve this revision, of those that are ready.',
    },
    AGE,
    wide('Models', '.spec.models', 'Model names that applications ask for.'),
    wide('Last-Failover', '.status.lastFailover.reason', 'Why traffic last moved away from a target.'),
    wide('To', '.status.lastFailover.to', 'Target that took it over.'),
    wide('Evidence', '.status.lastFailover.evidence', 'What was seen, with numbers.'),
  ],
  ProviderEndpoint: [
    { name: 'Provider', type: 'string', jsonPath: '.spec.provider', description: 'Whose API this is.' },
    { name: 'Health', type: 'string', jsonPath: '.status.health', description: 'The best verdict of its regions.' },
    { name: 'Reason', type: 'string', jsonPath: '.status.reason', description: 'Why it has this verdict.' },
    { name: 'Since', type: 'date', jsonPath: '.status.since', description: 'Since when it has.' },
    AGE,
    wide(
      'Credentials',
      '.status.conditions[?(@.type=="CredentialsResolved")].reason',
      'Whether the proxies have a key that the provider takes.',
    ),
    // A path with [*] would show one region as if it were all of them, so the columns say which one they are about.
    wide('First-Region', '.spec.regions[0].name', 'The most preferred of its regions.'),
    wide('First-Probe', '.status.regions[0].probe.outcome', 'How the last probe of that region ended.'),
  ],
};

function wide(name: string, jsonPath: string, description: string): PrinterColumn {
  return { name, type: 'string', jsonPath, description, priority: 1 };
}
