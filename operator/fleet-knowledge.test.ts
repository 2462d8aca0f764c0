import type { ReceivedReport } from './fleet/fleet.ts';
import { createFleetKnowledge, SETTLING_MS } from './fleet-knowledge.ts';
import type { KubeObject } from './kube/kube-object.ts';

describe('createFleetKnowledge', () => {
  it.each<{ sentence: string; expected: number; ready: number; passed: number; known: boolean }>([
    { sentence: 'waits for the proxies that statuses speak of', expected: 2, ready: 1, passed: 0, known: false },
    { sentence: 'tells as soon as they are there', expected: 2, ready: 2, passed: 0, known: true },
    { sentence: 'waits for none where there were none', expected: 0, ready: 0, passed: 0, known: true },
    { sentence: 'does not wait for ever for those that are gone', expected: 2, ready: 0, passed: SETTLING_MS, known: true },
  ])('$sentence', ({ expected, ready, passed, known }) => {
    let now = 0;
    const isKnown = createFleetKnowledge({
      routes: { list: () => [route(0), route(expected)] },
      fleet: { reports: () => Array.from({ length: ready }, () => ({ report: { ready: true } }) as ReceivedReport) },
      clock: { monotonic: () => now },
    });
    now = passed;
    expect(isKnown('sales')).toBe(known);
  });

  it('tells of a proxy that goes after it has come', () => {
    let ready = 1;
    const isKnown = createFleetKnowledge({
      routes: { list: () => [route(1)] },
      fleet: { reports: () => Array.from({ length: ready }, () => ({ report: { ready: true } }) as ReceivedReport) },
      clock: { monotonic: () => 0 },
    });
    expect(isKnown('sales')).toBe(true);
    ready = 0;
    expect(isKnown('sales')).toBe(true);
  });
});

function route(ready: number): KubeObject {
  return { apiVersion: 'v1', kind: 'ModelRoute', metadata: { name: 'chat' }, status: { proxies: { ready } } };
}
