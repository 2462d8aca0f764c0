import { Progress } from './progress.ts';

it('says how long the rest takes, and longer when the run is behind its plan', () => {
  let now = 0;
  const lines: string[] = [];
  const progress = new Progress(
    100_000,
    () => now,
    (line) => lines.push(line),
  );
  progress.begin('first');
  now = 40_000;
  progress.done(20_000);
  progress.begin('second');
  expect(lines).toEqual(['[about 100 s left] first', '[about 160 s left] second']);
});
