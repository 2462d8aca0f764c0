import { nearestName } from './nearest-name.ts';

describe('the name that was meant', () => {
  const known = ['models', 'chain', 'timeouts', 'retries', 'idle'];
  it.each([
    ['timeout', 'timeouts'],
    ['Chain', 'chain'],
    ['retreis', 'retries'],
    ['constructor', undefined],
    ['x', undefined],
  ])('%s: %s', (written, meant) => {
    expect(nearestName(written, known)).toBe(meant);
  });
});
