import { at, failover } from '../../test/fleet/reports.ts';
import { unchangedSince } from './reporter.ts';

describe('forgetting failovers that the operator has taken', () => {
  it('keeps one that got its return while the report was on its way', () => {
    const sent = [failover('1'), failover('2')];
    const present = [failover('1', { returned: at(9) }), failover('2'), failover('3')];
    expect(unchangedSince(sent, present, ['1', '2'])).toEqual(['2']);
  });
});
