import type { ProxyReport } from '../../contract/fleet.ts';

/** What has happened between two reports, in lines for whoever watches the terminal. `taken`: failovers that have been told before. */
export function tellNews(report: ProxyReport, before: ProxyReport | undefined): string[] {
  const lines: string[] = [];
  for (const { name, active, reason } of report.routes) {
    const previous = before?.routes.find((route) => route.name === name);
    if (previous === undefined || (previous.active === active && previous.reason === reason)) continue;
    const told = report.failovers.findLast(({ route, returned }) => route === name && returned === undefined);
    const evidence = told !== undefined && told.to === active && previous.active !== active ? `: ${told.evidence}` : '';
    lines.push(`${name}: ${active ?? 'nobody'} answers (${reason})${evidence}`);
  }
  for (const { secret, key, state, message } of report.credentials) {
    const previous = before?.credentials.find((credential) => credential.secret === secret && credential.key === key);
    if (previous?.state === state || (previous === undefined && state === 'Resolved')) continue;
    lines.push(`key ${key} of Secret ${secret}: ${state}${message === undefined ? '' : `: ${message}`}`);
  }
  return lines;
}
