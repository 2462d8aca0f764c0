import { endpoint, route } from '../operator/resources.ts';

/** Longer than any stall of a busy machine: only what is broken runs into them. */
const PATIENT = { connect: '5s', firstContent: '20s', response: '20s', idle: '20s', total: '60s' };
/** Short, so that whatever is silent shows soon. */
export const HASTY = { connect: '2s', firstContent: '3s', response: '3s', idle: '3s', total: '30s' };

/** `endpoint/region/model`, as status shows it. */
export const PRIMARY = 'primary/us-east/gpt-4o';
export const STANDBY = 'standby/global/llama-3.3-70b';
/** What applications ask for. */
export const MODEL = 'proposal-writer';

export interface StageOptions {
  timeouts?: object;
  /** Left out: no probes. */
  probe?: object;
}

/** Two provider accounts and a route over them, as the samples have them, in front of labs. */
export function stageOf(namespace: string, labs: { primary: string; standby: string }, options: StageOptions = {}): object[] {
  const probe = options.probe ? { probe: options.probe } : {};
  return [
    endpoint(namespace, 'primary', {
      failureDomain: 'provider-a',
      regions: [{ name: 'us-east', baseURL: labs.primary }],
      models: [{ name: 'gpt-4o' }],
      ...probe,
    }),
    endpoint(namespace, 'standby', {
      failureDomain: 'provider-b',
      regions: [{ name: 'global', baseURL: labs.standby }],
      models: [{ name: 'llama-3.3-70b' }],
      ...probe,
    }),
    route(namespace, 'proposals', ['primary/gpt-4o', 'standby/llama-3.3-70b'], {
      models: [MODEL, 'gpt-4o'],
      timeouts: options.timeouts ?? PATIENT,
    }),
  ];
}

export function secret(namespace: string, name: string, apiKey: string): object {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData: { apiKey } };
}
