// `npm run bench`: what Millrace costs over raw DuckDB and bare Node, as one table. See docs/benchmarks.md.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bench } from './harness/bench.mjs';
import { HELP, parseOptions, UsageError } from './options.mjs';
import { isMet, summaryOf, tableOf } from './report.mjs';

/** What a loop may be late, for the service still to answer everybody. */
const LOOP_DELAY_AIM = { max: 50 };

const MINUTE_MS = 60_000;
/** A terminal and npm send the same signal each; whoever sends one after that means it. */
const SAME_SIGNAL_MS = 2_000;

const say = (text) => process.stdout.write(`${text}\n`);
const tell = (text) => process.stderr.write(`${text}\n`);

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) return say(HELP);
  const signal = endSignal(options.limitMs);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  // Postgres and engine processes run as users without rights, who have to pass.
  await chmod(folder, 0o711);
  const bench = new Bench({ folder, quick: options.quick, signal });
  const lines = [];
  try {
    await Promise.race([measureAll(bench, options.chosen, lines), endOf(signal)]);
  } finally {
    if (lines.length > 0) await report(lines, options);
    await bench.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The run is broken off, for a reason that is no fault. */
class BrokenOff extends Error {}

/** @param {number} limitMs @returns {AbortSignal} aborted when the time is over, or somebody has enough */
function endSignal(limitMs) {
  const controller = new AbortController();
  const end = (why) => controller.abort(new BrokenOff(why));
  setTimeout(() => end(`The time is over: --minutes ${limitMs / MINUTE_MS}.`), limitMs).unref();
  let interruptedAt = Infinity;
  const interrupt = () => {
    if (performance.now() - interruptedAt > SAME_SIGNAL_MS) process.exit(1);
    interruptedAt = Math.min(interruptedAt, performance.now());
    end('Interrupted.');
  };
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, interrupt);
  return controller.signal;
}

/** @param {AbortSignal} signal @returns {Promise<never>} */
function endOf(signal) {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Each line counts when it is there: what ends the run leaves those before it. */
async function measureAll(bench, chosen, lines) {
  for (const { name, measure, hasOwnServer } of chosen) {
    tell(`${name} …`);
    await (await bench.startedMillrace())?.loopDelayMs();
    for await (const line of measure(bench)) {
      lines.push(line);
      tell(`  ${line.name}`);
    }
    if (!hasOwnServer) lines.push(...(await loopDelayLines(bench, name)));
  }
}

/** Of the server that all share, since it was last asked. */
async function loopDelayLines(bench, name) {
  const delayMs = await (await bench.startedMillrace())?.loopDelayMs();
  if (delayMs === undefined) return [];
  const line = { unit: 'ms', ours: delayMs, compare: 'amount', value: delayMs, aim: LOOP_DELAY_AIM };
  return [{ name: `event-loop delay p99, ${name}`, ...line }];
}

async function report(lines, { json, quick }) {
  say('');
  say(tableOf(lines));
  say('');
  say(summaryOf(lines));
  if (!json) return;
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  const figures = {
    at: new Date().toISOString(),
    quick,
    machine,
    lines: lines.map((line) => ({ ...line, met: isMet(line) })),
  };
  await writeFile(json, `${JSON.stringify(figures, null, 2)}\n`);
}

/** What went wrong, as far as it helps. @param {Error} error */
function explain(error) {
  if (error instanceof UsageError) return `${error.message}\n\n${HELP}`;
  return error instanceof BrokenOff ? error.message : `\n${error.stack ?? error}`;
}

try {
  await main();
} catch (error) {
  tell(explain(error));
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
