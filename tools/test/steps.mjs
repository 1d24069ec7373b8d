import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { findOpenFolder } from './open-folder.mjs';
import { runProcess } from './process.mjs';

const MINUTE_MS = 60_000;
const CHECK_MS_MAX = 5 * MINUTE_MS;
/** Suites without engine processes, which would have to read this repository as somebody else. */
const NEEDS_NO_ENGINE = ['unit', 'deployment'];
const JEST_FLAGS = '--experimental-vm-modules --disable-warning=ExperimentalWarning';

/** Everything the continuous integration checks, in the order of the report. */
export function stepsOf(root) {
  const bin = join(root, 'node_modules', '.bin');
  const check = (name, about, ...line) => ({ name, about, kind: 'check', lines: line });
  const suite = (name, about, options) => ({ name, about, kind: 'suite', ...options });
  const docs = [
    ['node', 'tools/check-docs.mjs'],
    ['node', 'tools/docs/configuration.mjs', '--check'],
  ];
  return [
    check('format', 'prettier changes nothing', ['prettier', '--check', '--log-level=warn', '.']),
    check('lint', 'oxlint with type-aware rules', ['oxlint']),
    check('boundaries', 'who imports whom, declared dependencies, the whole graph', [
      'node',
      'tools/check-boundaries.mjs',
    ]),
    check(
      'repository',
      'lock, sizes, leftovers, lists of errors and settings',
      ['node', 'tools/check-repository.mjs'],
      ...docs,
    ),
    check('types', 'type check of specs and tests', ['node', 'node_modules/ts7/bin/tsc', '-p', 'tsconfig.spec.json']),
    suite('unit', 'pure tests', { workers: 1, msMax: 10 * MINUTE_MS }),
    suite('deployment', 'Dockerfile, compose and Kubernetes against the code; needs kubectl', {
      workers: 1,
      msMax: 5 * MINUTE_MS,
    }),
    suite('integration', 'tests on real Postgres, DuckDB, queue and folders', { workers: 2, msMax: 20 * MINUTE_MS }),
    // One at a time: each runs the whole system, whose engine processes use both cores by themselves.
    suite('e2e', 'tests of the whole system, all services in one process', { workers: 1, msMax: 25 * MINUTE_MS }),
    // Of these two `npm test` runs a part, to be done in half an hour on two cores; by their names they run whole.
    suite('e2e-separate', 'the same on separate processes, Redis and S3', {
      workers: 2,
      msMax: 20 * MINUTE_MS,
      part: ['main-job', 'results.e2e', 'tenants', 'contract', 'traces'],
    }),
    suite('chaos', 'processes that are replaced, killed and cut off', {
      workers: 1,
      msMax: 15 * MINUTE_MS,
      part: ['rolling-replacement', 'killed-processes'],
    }),
  ].map((step) => ({
    ...step,
    run: (options) => (step.kind === 'suite' ? runSuite : runCheck)({ root, bin, step, options }),
  }));
}

const environment = (bin, extra = {}) => ({
  ...process.env,
  PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
  NX_DAEMON: 'false',
  ...extra,
});

/** All its command lines, even after one failed, so that one run shows everything. */
async function runCheck({ root, bin, step, options }) {
  const results = [];
  for (const [command, ...args] of step.lines) {
    const env = environment(bin);
    results.push(
      await runProcess({ command: join(bin, command), args, cwd: root, env, msMax: CHECK_MS_MAX, ...options }),
    );
  }
  return { ok: results.every(({ ok }) => ok), output: results.map(({ output }) => output).join('') };
}

/** Jest on one project; the counts come from its JSON report. */
async function runSuite({ root, bin, step, options: { patterns: given, name, live, isPart } }) {
  const patterns = given.length === 0 && isPart ? (step.part ?? []) : given;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  const report = join(folder, 'report.json');
  const open = NEEDS_NO_ENGINE.includes(step.name) ? undefined : findOpenFolder(root);
  const line = [
    ...['node_modules/.bin/node', 'node_modules/jest/bin/jest.js'].map((path) => join(open?.folder ?? root, path)),
    '--selectProjects',
    step.name,
    `--maxWorkers=${step.workers}`,
    '--passWithNoTests',
    '--json',
    `--outputFile=${report}`,
    ...(name ? ['--testNamePattern', name] : []),
    ...(patterns.length > 0 ? ['--', ...patterns] : []),
  ];
  const env = environment(bin, { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${JEST_FLAGS}`.trim() });
  try {
    const [command, ...args] = open ? open.lineFor(line) : line;
    const result = await runProcess({ command, args, cwd: root, env, msMax: step.msMax, live });
    return { ...result, output: withoutJson(result.output), ...countsIn(report) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Jest prints this line for `--outputFile`; it helps nobody. */
const withoutJson = (output) => output.replace(/^Test results written to: .*$/m, '').trimEnd();

/** Passed and failed tests; a file that could not even run counts as one failure. */
function countsIn(report) {
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 };
  const counts = JSON.parse(readFileSync(report, 'utf8'));
  return {
    passed: counts.numPassedTests,
    failed: counts.numFailedTests + counts.numRuntimeErrorTestSuites,
    skipped: counts.numPendingTests + counts.numTodoTests,
    files: counts.numTotalTestSuites,
  };
}
