import type { ProxyReport } from '../../contract/fleet.ts';

/** What has happened between two reports, in lines for whoever watches the terminal. */
export function tellNews(report: ProxyReport, before: ProxyReport | undefined): string[] {
  if (before === undefined) return [];
  return [...targetNews(report, before), ...routeNews(report, before), ...credentialNews(report, before)];
}

function targetNews({ targets }: ProxyReport, before: ProxyReport): string[] {
  return targets.flatMap(({ id, health, reason, evidence }) => {
    const previous = before.targets.find((target) => target.id === id);
    if (previous === undefined || (previous.health === health && previous.reason === reason)) return [];
    // Where all is well at the start there is nothing to tell of every target.
    if (previous.health === 'Unknown' && health === 'Healthy') return [];
    return [`target ${id}: ${health} (${reason})${evidence ? `: ${evidence}` : ''}`];
  });
}

function routeNews({ routes }: ProxyReport, before: ProxyReport): string[] {
  return routes.flatMap(({ name, active, reason }) => {
    const previous = before.routes.find((route) => route.name === name);
    if (previous === undefined || (previous.active === active && previous.reason === reason)) return [];
    return [`route ${name}: ${active ?? 'nobody'} is on stage (${reason})`];
  });
}

function credentialNews({ credentials }: ProxyReport, before: ProxyReport): string[] {
  return credentials.flatMap(({ secret, key, state, message }) => {
    const previous = before.credentials.find((credential) => credential.secret === secret && credential.key === key);
    if (previous === undefined || previous.state === state) return [];
    return [`key ${key} of Secret ${secret}: ${state}${message === undefined ? '' : `: ${message}`}`];
  });
}
