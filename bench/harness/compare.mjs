import { cpuSecondsOf } from './processes.mjs';
import { median } from './statistics.mjs';

/**
 * One of the two that are compared: what it does, and the process that does it, with those below it.
 *
 * @typedef {{ pid: number, work: (run: number) => Promise<number> }} Side the figure of a run, such as seconds
 */

/**
 * Lets both do the same work in turn and compares run by run: what disturbs the machine for a while disturbs both. Who
 * begins changes from run to run, so that neither always finds what the other has warmed.
 *
 * @param {{ ours: Side, raw: Side, runs: number, signal: AbortSignal }} options
 * @returns {Promise<{ ours: number, raw: number, ratio: number, cpuRatio: number | undefined }>} medians
 */
export async function inTurn({ ours, raw, runs, signal }) {
  const pairs = [];
  for (let run = 0; run < runs; run += 1) {
    signal.throwIfAborted();
    const order = run % 2 === 0 ? [ours, raw] : [raw, ours];
    const figures = new Map();
    for (const side of order) figures.set(side, await measured(side, run));
    pairs.push({ ours: figures.get(ours), raw: figures.get(raw) });
  }
  return {
    ours: median(pairs.map((pair) => pair.ours.value)),
    raw: median(pairs.map((pair) => pair.raw.value)),
    ratio: median(pairs.map((pair) => pair.ours.value / pair.raw.value)),
    cpuRatio: cpuRatioOf(pairs),
  };
}

/** @param {Side} side @param {number} run */
async function measured({ pid, work }, run) {
  const before = await cpuSecondsOf(pid);
  const value = await work(run);
  return { value, cpuSeconds: (await cpuSecondsOf(pid)) - before };
}

/** Below this, the kernel's clock of 10 ms says nothing. */
const CPU_SECONDS_MIN = 0.1;

/** @param {readonly { ours: { cpuSeconds: number }, raw: { cpuSeconds: number } }[]} pairs */
function cpuRatioOf(pairs) {
  const known = pairs.filter(
    ({ ours, raw }) => ours.cpuSeconds >= CPU_SECONDS_MIN && raw.cpuSeconds >= CPU_SECONDS_MIN,
  );
  return known.length === 0 ? undefined : median(known.map(({ ours, raw }) => ours.cpuSeconds / raw.cpuSeconds));
}

/** @param {() => Promise<unknown>} work @returns {Promise<number>} seconds */
export async function secondsOf(work) {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1_000;
}
