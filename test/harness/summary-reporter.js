import { writeSync } from 'node:fs';

/** Closes the run with one plain line. In CI a skipped test fails the run: there, everything that tests need is installed. */
export default class SummaryReporter {
  #skipped = [];

  onTestResult(_test, { testResults }) {
    for (const { status, fullName } of testResults) if (status === 'pending' || status === 'todo') this.#skipped.push(fullName);
  }

  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = this.#skipped.length;
    // At the very end: jest's own summary comes after every reporter.
    const write = (line) => process.once('exit', () => writeSync(1, `${line}\n`));
    if (skipped > 0) write(`\n${this.#inCi ? 'Skipped, which fails a run in CI' : 'Skipped'}:\n${this.#skipped.map((name) => `  ${name}`).join('\n')}`);
    write(`\ntests: ${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  }

  getLastError() {
    return this.#inCi && this.#skipped.length > 0 ? new Error('a test was skipped') : undefined;
  }

  get #inCi() {
    return process.env.CI === 'true';
  }
}
