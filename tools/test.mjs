/** `npm test`: everything the continuous integration checks, with one line per step and the output of what failed. */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stepsOf } from './test/steps.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const steps = stepsOf(ROOT);
const suites = steps.filter((step) => step.kind === 'suite');

const HELP = `npm test                          everything; of the longest suites a part, see below
npm test -- <step>…               only these steps, whole
npm test -- <path>…               only the tests whose path contains this, such as libs/sql
npm test -- unit libs/sql         both
npm test -- -t "a name"           only the tests with this in their name

Steps:
${steps.map(({ name, about }) => `  ${name.padEnd(14)}${about}`).join('\n')}
`;

/** Which steps, which tests. A path without a step means every suite; its output is shown while it comes. */
function selectionFrom(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, name: { type: 'string', short: 't' } },
  });
  const named = steps.filter((step) => positionals.includes(step.name));
  const patterns = positionals.filter((word) => !steps.some((step) => step.name === word));
  const narrowed = patterns.length > 0 || values.name !== undefined;
  const chosen = named.length > 0 ? named : narrowed ? suites : steps;
  const isPart = named.length === 0 && !narrowed;
  const options = { patterns, name: values.name, live: narrowed, isPart };
  return { help: values.help === true, chosen, options, narrowed };
}

/** Which steps run side by side: the checks beside the unit tests; the suites with processes of their own alone. */
function lanesOf(chosen, live) {
  const checks = chosen.filter((step) => step.kind === 'check');
  const unit = chosen.filter((step) => step.name === 'unit');
  const rest = chosen.filter((step) => step.kind === 'suite' && step.name !== 'unit');
  const together = availableParallelism() > 1 && !live;
  return [...(together ? [[checks, unit]] : [[checks], [unit]]), ...rest.map((step) => [[step]])];
}

async function runStep(step, options) {
  const startedAt = performance.now();
  const result = await step.run(options);
  const outcome = { step, seconds: (performance.now() - startedAt) / 1000, ...result };
  print(outcome, options.live);
  return outcome;
}

function print({ step, ok, seconds, output, passed, failed, files }, live) {
  const counts = step.kind === 'suite' ? `${passed} passed, ${failed} failed in ${files ?? 0} files` : '';
  const line = `${ok ? 'ok    ' : 'FAILED'}  ${step.name.padEnd(12)}${`${seconds.toFixed(1)} s`.padStart(8)}  ${counts}`;
  process.stdout.write(`${line.trimEnd()}\n`);
  if (!ok && !live) process.stdout.write(`\n${indent(output)}\n\n`);
}

const indent = (text) => text.trimEnd().replaceAll(/^(?=.)/gm, '    ');

async function runAll(chosen, options) {
  const outcomes = [];
  for (const lanes of lanesOf(chosen, options.live)) {
    const runLane = async (lane) => {
      for (const step of lane) outcomes.push(await runStep(step, options));
    };
    await Promise.all(lanes.map(runLane));
  }
  return outcomes;
}

/** The last lines: which steps failed, what was skipped, and the sum of all tests. Returns whether all is well. */
function summarise(outcomes, narrowed) {
  const sum = (key) => outcomes.reduce((total, outcome) => total + (outcome[key] ?? 0), 0);
  const broken = outcomes.filter(({ ok, failed }) => !ok || failed > 0).map(({ step }) => step.name);
  const none = narrowed && sum('passed') + sum('failed') === 0;
  process.stdout.write('\n');
  if (none) process.stdout.write('No test matches. See npm test -- --help\n');
  if (sum('skipped') > 0 && !narrowed) process.stdout.write(`${sum('skipped')} skipped\n`);
  if (broken.length > 0) process.stdout.write(`Failed steps: ${broken.join(', ')}\n`);
  process.stdout.write(`${sum('passed')} passed, ${sum('failed')} failed\n`);
  return broken.length === 0 && !none;
}

async function main() {
  const { help, chosen, options, narrowed } = selectionFrom(process.argv.slice(2));
  if (help) return process.stdout.write(HELP);
  const outcomes = await runAll(chosen, options);
  process.exitCode = summarise(outcomes, narrowed) ? 0 : 1;
}

try {
  await main();
} catch (error) {
  if (!String(error.code).startsWith('ERR_PARSE_ARGS')) throw error;
  process.stderr.write(`${error.message}\n\n${HELP}`);
  process.exitCode = 2;
}
