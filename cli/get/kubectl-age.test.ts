import { kubectlAge } from './kubectl-age.ts';

const s = 1_000;
const m = 60 * s;
const h = 60 * m;
const d = 24 * h;

describe('kubectlAge', () => {
  // The cases of TestHumanDuration in k8s.io/apimachinery.
  it.each([
    [-2 * s, '<invalid>'],
    [-1.9 * s, '0s'],
    [0, '0s'],
    [s - 1, '0s'],
    [s, '1s'],
    [2 * m - 1, '119s'],
    [2 * m, '2m'],
    [2 * m + s, '2m1s'],
    [10 * m - 1, '9m59s'],
    [10 * m, '10m'],
    [3 * h - 1, '179m'],
    [3 * h, '3h'],
    [3 * h + m, '3h1m'],
    [8 * h - 1, '7h59m'],
    [8 * h, '8h'],
    [2 * d - 1, '47h'],
    [2 * d, '2d'],
    [2 * d + h, '2d1h'],
    [8 * d - 1, '7d23h'],
    [8 * d, '8d'],
    [2 * 365 * d - 1, '729d'],
    [2 * 365 * d, '2y'],
    [2 * 365 * d + d, '2y1d'],
    [8 * 365 * d - 1, '7y364d'],
    [8 * 365 * d, '8y'],
    [8 * 365 * d + d, '8y'],
  ])('writes %d ms as %s', (milliseconds, text) => {
    expect(kubectlAge(milliseconds)).toBe(text);
  });
});
