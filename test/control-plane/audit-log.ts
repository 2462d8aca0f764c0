/** Every request once, when it is complete: enough to count writes by who and what. */
export const DEFAULT_AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [{ level: 'Metadata' }],
};

/** The part of an `audit.k8s.io/v1` Event that tests look at. */
export interface AuditEvent {
  stage: string;
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` … */
  verb: string;
  requestURI: string;
  userAgent?: string;
  user: { username: string; groups?: string[] };
  objectRef?: { resource: string; namespace?: string; name?: string; apiGroup?: string; subresource?: string };
  responseStatus?: { code: number };
  requestReceivedTimestamp: string;
  /** Present where the policy's level asks for it. */
  requestObject?: unknown;
  responseObject?: unknown;
}

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

export function isWrite(event: AuditEvent): boolean {
  return WRITES.has(event.verb);
}

/** Reads the log file. Its last line may be half written, or cut off by a SIGKILL: such a line is left out. */
export function readAuditLog(text: string): AuditEvent[] {
  const events: AuditEvent[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('{') && line.endsWith('}')) events.push(JSON.parse(line) as AuditEvent);
  }
  return events;
}
