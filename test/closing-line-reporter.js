import process from 'node:process';

/** Ends the output of a test run with one line over all suites: `N passed, N failed`, and `, N skipped` where some were. */
export default class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    // A suite that could not even begin holds tests that did not pass, however many they are.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const line = `${results.numPassedTests} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}\n`;
    // Jest puts its own summary after every other reporter: only at the exit is this the last line.
    process.once('exit', () => process.stdout.write(line));
  }
}
