import { HELP, parseOptions } from './options.ts';

describe('the options of the bench', () => {
  it('measure everything when none are given', () => {
    expect(parseOptions([])).toEqual({
      help: false,
      only: ['floor', 'express', 'understudy'],
      rounds: 5,
      pace: 1,
      heapRequests: 100_000,
    });
  });

  it('are quick without a heap step, unless its requests are named', () => {
    expect(parseOptions(['--quick'])).toMatchObject({ rounds: 2, heapRequests: 0 });
    expect(parseOptions(['--quick', '--million'])).toMatchObject({ rounds: 2, heapRequests: 1_000_000 });
  });

  it.each([
    [['--only', 'floor,nginx'], 'nginx'],
    [['--rounds', '0'], '--rounds 0'],
    [['--rounds', '1.5'], '--rounds 1.5'],
    [['--requests', '-1'], '--requests'],
    [['--unheard-of'], '--unheard-of'],
  ])('%j are refused, and the message names what is wrong', (args, named) => {
    expect(() => parseOptions(args)).toThrow(named);
  });

  it('are all in the help', () => {
    for (const flag of ['--only', '--rounds', '--quick', '--million', '--requests', '--help']) expect(HELP).toContain(flag);
  });
});
