import { fleetView, PROXY_GONE_AFTER_MS, type TargetReport } from '../../contract/fleet.ts';
import type { Health } from '../../crds/health.ts';
import { at, NOON, proxyReport, targetReport } from '../../test/fleet/reports.ts';
import type { ReceivedReport } from './fleet.ts';
import { mergeHealth, mergeReports, mergeTargets } from './merge-reports.ts';

const now = Date.parse(NOON) + 5_000;

function heard(target: Partial<TargetReport>, proxy = 'proxy-a', receivedAt = now): ReceivedReport {
  return { report: proxyReport({ proxy, targets: [targetReport(target)] }), receivedAt };
}

function merged(...reports: ReceivedReport[]) {
  return mergeTargets(reports, now)[0]!;
}

describe('merging verdicts', () => {
  it.each<[string, Health[], Health]>([
    ['the only replica with a say decides', ['Down'], 'Down'],
    ['one of two is no majority: its own network may be broken', ['Down', 'Healthy'], 'Degraded'],
    ['two of three are', ['Down', 'Down', 'Healthy'], 'Down'],
    ['two of four are not', ['Down', 'Down', 'Healthy', 'Healthy'], 'Degraded'],
    ['one degraded replica is worth saying', ['Healthy', 'Healthy', 'Degraded'], 'Degraded'],
    ['one that recovers is too', ['Healthy', 'Recovering'], 'Recovering'],
    ['replicas that leave one outage at different times recover', ['Down', 'Recovering'], 'Recovering'],
    ['a minority that is down beside healthy and recovering ones', ['Down', 'Recovering', 'Healthy'], 'Degraded'],
    ['all is well', ['Healthy', 'Healthy'], 'Healthy'],
  ])('%s', (_sentence, votes, expected) => {
    expect(mergeHealth(votes)).toBe(expected);
  });

  it('gives no say to a replica that knows nothing', () => {
    const unknown = { health: 'Unknown', reason: 'NoSignal', lastSignal: undefined } as const;
    expect(merged(heard({ health: 'Down', reason: 'ErrorRate' }), heard(unknown, 'b'), heard(unknown, 'c')).health).toBe('Down');
    expect(merged(heard(unknown)).health).toBe('Unknown');
  });

  it('gives no say to hearsay, which would keep a verdict alive by echo', () => {
    const hearsay = { health: 'Down', reason: 'ReportedByFleet' } as const;
    expect(merged(heard({}), heard(hearsay, 'b'), heard(hearsay, 'c')).health).toBe('Healthy');
    expect(merged(heard(hearsay))).toMatchObject({ health: 'Unknown', reason: 'NoSignal' });
  });

  it('gives no say to a replica whose last signal is much older than the newest', () => {
    const old = { health: 'Down', reason: 'ErrorRate', lastSignal: at(-61) } as const;
    expect(merged(heard({ lastSignal: NOON }), heard(old, 'b'), heard(old, 'c')).health).toBe('Healthy');
    expect(merged(heard(old, 'b'), heard(old, 'c')).health).toBe('Down');
  });

  it('shows a cooldown that needs no signal', () => {
    const missing = { health: 'Down', reason: 'CredentialsMissing', lastSignal: undefined } as const;
    const silent = { health: 'Unknown', reason: 'NoSignal', lastSignal: undefined } as const;
    expect(merged(heard(silent), heard(missing, 'b'))).toMatchObject({ health: 'Down', reason: 'CredentialsMissing' });
  });

  it('takes since from the first of those who decide, and evidence from the freshest, saying how many they are', () => {
    const down = { health: 'Down', reason: 'ErrorRate' } as const;
    const result = merged(
      heard({ ...down, since: at(-9), lastSignal: at(-2), evidence: 'older' }),
      heard({ ...down, since: at(-7), lastSignal: at(-1), evidence: '9 of 20 failed', reason: 'ConsecutiveFailures' }, 'b'),
      heard({ since: at(-500), lastSignal: NOON }, 'c'),
    );
    expect(result).toMatchObject({
      health: 'Down',
      reason: 'ConsecutiveFailures',
      since: at(-9),
      evidence: '2 of 3 proxies: 9 of 20 failed',
      lastSignal: NOON,
    });
  });

  it('stands on the evidence of the minority when it says Degraded', () => {
    const result = merged(heard({}), heard({ health: 'Down', reason: 'ErrorRate', evidence: '503', since: at(-3) }, 'b'));
    expect(result).toMatchObject({ health: 'Degraded', reason: 'ErrorRate', evidence: '1 of 2 proxies: 503', since: at(-3) });
  });

  it('leaves out reports of proxies that are gone', () => {
    const gone = heard({ health: 'Down', reason: 'ErrorRate' }, 'b', now - PROXY_GONE_AFTER_MS);
    expect(mergeReports([gone], now)).toEqual({ time: at(5), proxies: 0, targets: [] });
    expect(merged(heard({}), gone).health).toBe('Healthy');
  });
});

describe('merging figures', () => {
  it('shows the freshest probe that was carried out, unless it was long ago', () => {
    const probe = (seconds: number, outcome: 'Succeeded' | 'Failed' | 'Skipped') => ({ probe: { time: at(seconds), outcome } });
    expect(merged(heard(probe(-3, 'Failed')), heard(probe(-9, 'Succeeded'), 'b')).probe?.outcome).toBe('Failed');
    expect(merged(heard(probe(-30, 'Failed')), heard(probe(-1, 'Skipped'), 'b')).probe?.outcome).toBe('Failed');
    expect(merged(heard(probe(-90, 'Failed')), heard(probe(-1, 'Skipped'), 'b')).probe?.outcome).toBe('Skipped');
  });

  it('weights medians by traffic, and takes the worst of the 95th percentiles', () => {
    const result = merged(
      heard({ recent: { attempts: 90, failures: 0 }, firstToken: { p50: 400, p95: 900 } }),
      heard({ recent: { attempts: 30, failures: 20 }, firstToken: { p50: 800, p95: 3_000 } }, 'b'),
      heard({ recent: { attempts: 5, failures: 5 } }, 'c'),
    );
    expect(result.firstToken).toEqual({ p50: 440, p95: 3_000 });
    expect(result.recent).toEqual({ attempts: 125, failures: 25 });
  });

  it('gives a view that the contract accepts', () => {
    const view = mergeReports([heard({ probe: { time: NOON, outcome: 'Succeeded', latency: 412 } }), heard({}, 'b')], now);
    expect(fleetView.parse(view)).toEqual(view);
    expect(view.proxies).toBe(2);
  });
});
