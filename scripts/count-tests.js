// Adds up the suites that `.ci/run` ran and prints its last line, `N passed, N failed`.
// Usage: node scripts/count-tests.js REPORT EXIT_CODE [REPORT EXIT_CODE]...
// REPORT is what vitest's JSON reporter wrote, EXIT_CODE how that vitest ended. The exit code is 1 if anything failed or nothing ran.
import { existsSync, readFileSync } from "node:fs";

/**
 * @typedef {{ status: string, assertionResults: unknown[] }} TestFile
 * @typedef {{ numPassedTests: number, numFailedTests: number, testResults: TestFile[] }} Report
 */

/**
 * Counts one suite. A file that cannot be loaded has no tests and counts as one failure. So does a suite that failed without a
 * failed test: a rejection outside every test, a build that broke before, or no tests at all. The printed line then never says
 * less than the exit code.
 *
 * @param {string} path
 * @param {boolean} hasFailed
 */
function count(path, hasFailed) {
  if (!existsSync(path)) return { passed: 0, failed: 1 };
  /** @type {Report} */
  const report = JSON.parse(readFileSync(path, "utf8"));
  const broken = report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
  const failed = report.numFailedTests + broken.length;
  const isSilent = failed === 0 && (hasFailed || report.numPassedTests === 0);
  return { passed: report.numPassedTests, failed: isSilent ? 1 : failed };
}

let passed = 0;
let failed = 0;
for (let index = 2; index < process.argv.length; index += 2) {
  const suite = count(process.argv[index] ?? "", process.argv[index + 1] !== "0");
  passed += suite.passed;
  failed += suite.failed;
}

process.stdout.write(`${passed} passed, ${failed} failed\n`);
if (failed > 0 || passed === 0) process.exitCode = 1;
