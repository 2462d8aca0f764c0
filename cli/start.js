#!/usr/bin/env -S node --max-semi-space-size=8 --initial-old-space-size=96
/**
 * Where the `understudy` command begins, in JavaScript that any Node reads: Node before 22.18 can't even parse the rest, and a stack trace
 * would not say why. On a new enough Node it only hands over.
 *
 * The flags above are for prompts of 100 kB and more: their buffers lie outside of the heap, and with V8's defaults the young generation is so
 * large, and the old one so small at first, that a full collection comes before the young one that would free them (docs/performance.md).
 */
import process from 'node:process';

/** The first line of Node that runs TypeScript as it stands and is supported long enough. */
const OLDEST_NODE = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `understudy: needs Node.js ${OLDEST_NODE} or newer, and this is ${process.version} (${process.execPath}): ` +
      'call it as "npx understudy" in its checkout after "npm ci", which brings its own, or install one from https://nodejs.org\n',
  );
  process.exit(1);
}

const { main } = await import('./understudy.ts');
process.exitCode = await main(process.argv.slice(2));
