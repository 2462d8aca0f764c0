import { PROXY_GONE_AFTER_MS, type ProxyReport } from '../../contract/fleet.ts';
import { at, failover, proxyReport, routeReport, runtimeConfig, TARGET, targetReport } from '../../test/fleet/reports.ts';
import { FakeClock } from '../kube/fake-clock.ts';
import type { FleetNews } from './fleet.ts';
import { createReportStore, MAX_NAMESPACES, MAX_PROXIES_PER_NAMESPACE, type ReportStore } from './report-store.ts';

describe('what the proxies said last', () => {
  let clock: FakeClock;
  let store: ReportStore;
  let news: Array<[string, FleetNews]>;

  beforeEach(() => {
    clock = new FakeClock();
    store = createReportStore(clock);
    news = [];
    store.onNews((namespace, kind) => news.push([namespace, kind]));
  });

  const receive = (overrides: Partial<ProxyReport>) => {
    const reception = store.receive('sales', proxyReport(overrides));
    if (reception.outcome !== 'Taken') throw new Error(reception.outcome);
    return reception.answer;
  };
  const names = () => store.reports('sales').map(({ report }) => report.proxy);

  it('drops a proxy that is silent for too long, and says so once', async () => {
    receive({ proxy: 'b' });
    receive({ proxy: 'a' });
    expect(names()).toEqual(['a', 'b']);
    await clock.advance(PROXY_GONE_AFTER_MS - 1);
    receive({ proxy: 'b' });
    news.length = 0;
    await clock.advance(1);
    expect(names()).toEqual(['b']);
    store.sweep();
    store.sweep();
    expect(news).toEqual([['sales', 'transition']]);
  });

  it.each<[string, FleetNews, Partial<ProxyReport>]>([
    ['the same again', 'figures', {}],
    ['more attempts', 'figures', { targets: [targetReport({ attempts: 9, lastSignal: at(3), evidence: 'x' })] }],
    ['another verdict', 'transition', { targets: [targetReport({ health: 'Down', reason: 'ErrorRate' })] }],
    ['another revision', 'transition', { revision: 'two' }],
    ['a refused revision', 'transition', { refused: { revision: 'two', message: 'no' } }],
    ['another active target', 'transition', { routes: [routeReport({ active: 'other' })] }],
    ['a missing key', 'transition', { credentials: [{ secret: 's', key: 'k', state: 'Missing' }] }],
    ['a failover', 'transition', { failovers: [failover('1')] }],
    ['a restart', 'transition', { instance: 'a2' }],
    ['no longer ready', 'transition', { ready: false }],
  ])('calls %s %s', (_sentence, expected, change) => {
    const first = { revision: 'one', targets: [targetReport()], routes: [routeReport()] };
    receive(first);
    receive({ ...first, ...change });
    expect(news).toEqual([
      ['sales', 'transition'],
      ['sales', expected],
    ]);
  });

  it('answers each proxy with what the others know, never with its own words', async () => {
    receive({ proxy: 'a', targets: [targetReport({ health: 'Down', reason: 'ErrorRate' })] });
    const toB = receive({ proxy: 'b', targets: [targetReport({ health: 'Healthy' })] });
    expect(toB.view).toMatchObject({ proxies: 1, targets: [{ id: TARGET, health: 'Down' }] });
    const toA = receive({ proxy: 'a', targets: [targetReport({ health: 'Down', reason: 'ErrorRate' })] });
    expect(toA.view.targets).toMatchObject([{ health: 'Healthy' }]);
  });

  it('keeps namespaces apart', async () => {
    receive({ targets: [targetReport()] });
    const other = store.receive('other', proxyReport({ proxy: 'b' }));
    expect(other).toMatchObject({ outcome: 'Taken', answer: { view: { proxies: 0, targets: [] } } });
    expect(store.reports('other')).toHaveLength(1);
    store.withdraw('other');
    expect(store.reports('other')).toEqual([]);
    expect(names()).toEqual(['proxy-a']);
  });

  it('refuses more proxies than a namespace may have, not those that it has', async () => {
    for (let index = 0; index < MAX_PROXIES_PER_NAMESPACE; index += 1) receive({ proxy: `p${index}` });
    expect(store.receive('sales', proxyReport({ proxy: 'one-more' })).outcome).toBe('Full');
    expect(store.receive('sales', proxyReport({ proxy: 'p7' })).outcome).toBe('Taken');
  });

  it('acknowledges a failover only after it was taken, and its return apart', async () => {
    expect(receive({ failovers: [failover('1')] }).acknowledged).toEqual([]);
    const version = { proxy: 'proxy-a', instance: 'a1', id: '1' };
    store.acknowledge('sales', [version, { ...version, id: 'unheard-of' }, { ...version, proxy: 'nobody' }]);
    expect(receive({ failovers: [failover('1'), failover('2')] }).acknowledged).toEqual(['1']);
    const back = failover('1', { returned: at(60) });
    expect(receive({ failovers: [back] }).acknowledged).toEqual([]);
    store.acknowledge('sales', [{ ...version, returned: at(60) }]);
    expect(receive({ failovers: [back] }).acknowledged).toEqual(['1']);
    expect(receive({ failovers: [] }).acknowledged).toEqual([]);
    expect(receive({ failovers: [back] }).acknowledged).toEqual([]);
  });

  describe('counters', () => {
    const counts = (attempts: number) => ({ targets: [targetReport({ attempts, failures: attempts / 10 })] });
    const attempts = () => store.totals('sales').targets.get(TARGET)?.attempts;
    beforeEach(() => store.configured('sales', runtimeConfig('one')));

    it('never go back when a proxy restarts or goes', async () => {
      receive({ proxy: 'a', ...counts(100) });
      receive({ proxy: 'b', ...counts(50) });
      expect(attempts()).toBe(150);
      receive({ proxy: 'a', instance: 'a2', ...counts(10) });
      receive({ proxy: 'b', instance: 'b2', ...counts(70) });
      expect(attempts()).toBe(230);
      await clock.advance(PROXY_GONE_AFTER_MS);
      store.sweep();
      expect(attempts()).toBe(230);
    });

    it('do not count twice what a proxy says after it was out of reach', async () => {
      receive(counts(100));
      await clock.advance(PROXY_GONE_AFTER_MS);
      store.sweep();
      receive(counts(120));
      expect(attempts()).toBe(120);
    });

    it('are forgotten with their target, but for one that is probed', async () => {
      receive(counts(100));
      const [endpoint] = runtimeConfig('two').endpoints;
      const probe = { interval: 30_000, timeout: 1_000, model: 'gpt-4o' };
      store.configured('sales', runtimeConfig('two', { endpoints: [{ ...endpoint!, probe }] }));
      expect(attempts()).toBe(100);
      store.configured('sales', runtimeConfig('three'));
      expect(attempts()).toBe(undefined);
    });
  });

  it('remembers nothing of a namespace that is gone, although its proxies went on reporting while they ended', async () => {
    for (let namespace = 0; namespace < MAX_NAMESPACES; namespace += 1) {
      store.configured(`gone-${namespace}`, runtimeConfig('one'));
      store.withdraw(`gone-${namespace}`);
      expect(store.receive(`gone-${namespace}`, proxyReport({})).outcome).toBe('Taken');
    }
    expect(store.receive('sales', proxyReport({})).outcome).toBe('Full');
    await clock.advance(PROXY_GONE_AFTER_MS);
    store.sweep();
    expect(store.receive('sales', proxyReport({})).outcome).toBe('Taken');
  });
});
