import { nextTarget, orderTargets } from './order-targets.ts';
import { RetryBudget } from './retry-budget.ts';
import type { ServingRoute, ServingTarget } from './serving-config.ts';

const target = (id: string, step: number, entry: number, weight = 1) =>
  ({ target: { id, step, entry, weight } }) as unknown as ServingTarget;
const routeOf = (targets: ServingTarget[], weighted: boolean) => ({ targets, weighted }) as unknown as ServingRoute;
const ids = (targets: readonly ServingTarget[]) => targets.map((one) => one.target.id);

describe('targets are ordered for one request', () => {
  it('in chain order where nothing is weighted, without making a list', () => {
    const targets = [target('a', 0, 0), target('b', 1, 1)];
    expect(orderTargets(routeOf(targets, false), Math.random)).toBe(targets);
  });

  it('by weight within a step, regions of an entry together, later steps behind', () => {
    const route = routeOf([target('a1', 0, 0, 75), target('a2', 0, 0, 75), target('b', 0, 1, 25), target('c', 1, 2)], true);
    const firsts: Record<string, number> = {};
    let seed = 1;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    for (let draw = 0; draw < 10_000; draw += 1) {
      const order = ids(orderTargets(route, random));
      expect(['a1,a2,b,c', 'b,a1,a2,c']).toContain(order.join(','));
      firsts[order[0] as string] = (firsts[order[0] as string] ?? 0) + 1;
    }
    expect(firsts.a1).toBeGreaterThan(7_200);
    expect(firsts.a1).toBeLessThan(7_800);
  });
});

describe('the next target', () => {
  const [a, b, c] = [target('a', 0, 0), target('b', 1, 1), target('c', 2, 2)];
  const next = (tried: ServingTarget[], open: ServingTarget[], recovering: ServingTarget[] = []) =>
    nextTarget(
      [a, b, c],
      new Set(tried),
      (candidate) => open.includes(candidate),
      (candidate) => recovering.includes(candidate),
    )?.target.id;

  it.each([
    ['the first that is admitted', [], [b, c], 'b'],
    ['the next that is admitted and not tried', [b], [b, c], 'c'],
    ['the first untried when none is admitted: panic', [], [], 'a'],
    ['in chain order, one after the other, in a panic', [a], [], 'b'],
    ['the ones that look bad when those that look good have failed', [b, c], [b, c], 'a'],
    ['none when all were tried', [a, b, c], [a, b, c], undefined],
  ])('is %s', (_, tried, open, expected) => {
    expect(next(tried, open)).toBe(expected);
  });

  it('is, when none is admitted, one that answers again before one that does not', () => {
    expect(next([], [], [b, c])).toBe('b');
    expect(next([b], [], [b, c])).toBe('c');
    expect(next([], [c], [b])).toBe('c');
    expect(next([b, c], [], [b, c])).toBe('a');
  });
});

describe('a retry budget', () => {
  it('always allows three, and a share of the requests beyond', () => {
    const budget = new RetryBudget();
    const granted = (percent: number) => Array.from({ length: 50 }, () => budget.take(percent, 0)).filter(Boolean).length;
    expect(granted(20)).toBe(3);
    for (let request = 0; request < 100; request += 1) budget.onRequest(0);
    expect(granted(20)).toBe(17);
  });

  it('is new after ten seconds, and remembers the requests of the ten before', () => {
    const budget = new RetryBudget();
    for (let request = 0; request < 100; request += 1) budget.onRequest(0);
    expect(Array.from({ length: 50 }, () => budget.take(20, 10_000)).filter(Boolean)).toHaveLength(20);
    expect(Array.from({ length: 50 }, () => budget.take(20, 40_000)).filter(Boolean)).toHaveLength(3);
  });
});
