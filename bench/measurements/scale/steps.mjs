import { quantile } from '../../harness/statistics.mjs';

/** How many processes of a service, in this order: up and down again, so that a machine that tires does it to all. */
const STEPS = [1, 2, 4, 4, 2, 1];
const STEPS_QUICK = [1, 2];
/** Two cores can't do more than one; what several processes may not do is to get into each other's way. */
const AIM_OF_TWO = { min: 0.95 };

/**
 * What a load did with so many processes.
 *
 * @typedef {object} Step
 * @property {number} rate work in a second
 * @property {number} pieces of work in all
 * @property {readonly number[]} waitsMs
 * @property {import('../../harness/fleet/cpu-use.mjs').CpuUse} use
 * @property {string} [note]
 */

/**
 * Runs a load with 1, 2 and 4 processes of a service, and compares each with one.
 *
 * @param {import('../../harness/bench.mjs').Bench} bench
 * @param {object} options
 * @param {import('../../harness/fleet/fleet.mjs').Fleet} options.fleet
 * @param {import('@millrace/testing').AppName} options.app
 * @param {{ rate: string, wait: string, piece: string, unit: string }} options.names
 * @param {() => Promise<unknown>} options.warmUp
 * @param {() => Promise<Step>} options.load
 * @returns {AsyncGenerator<import('../../report.mjs').Line>}
 */
export async function* inSteps(bench, { fleet, app, names, warmUp, load }) {
  /** @type {Map<number, Step[]>} */
  const steps = new Map();
  for (const count of bench.quick ? STEPS_QUICK : STEPS) {
    bench.signal.throwIfAborted();
    await fleet.scale({ [app]: count });
    await warmUp();
    steps.set(count, [...(steps.get(count) ?? []), await load()]);
  }
  await fleet.scale({ [app]: 1 });
  const ofOne = steps.get(1) ?? [];
  for (const [count, runs] of steps) yield* linesOf({ app, names, count, runs, ofOne });
}

/** @returns {Generator<import('../../report.mjs').Line>} */
function* linesOf({ app, names, count, runs, ofOne }) {
  const processes = `${count} ${app}${count === 1 ? '' : 's'}`;
  const rate = compared(runs, ofOne, ({ rate: each }) => each);
  const notes = runs.map(({ use, note }) => [note, use.describe()].filter(Boolean).join('; '));
  yield {
    ...{ name: `${names.rate}, ${processes}`, unit: names.unit, ...rate },
    ...(count === 2 && { aim: AIM_OF_TWO }),
    note: notes.at(0),
  };
  for (const [which, share] of Object.entries({ p50: 0.5, p95: 0.95 })) {
    const wait = compared(runs, ofOne, ({ waitsMs }) => quantile(waitsMs, share));
    yield { name: `${names.wait} ${which}, ${processes}`, unit: 'ms', ...wait };
  }
  const cpu = compared(runs, ofOne, ({ use, pieces }) => (1_000 * use.seconds()) / pieces);
  const note = `ms: ${runs[0]?.use.describeEach(runs[0].pieces)}`;
  yield { name: `CPU of ${names.piece}, ${processes}`, unit: 'ms', ...cpu, note };
}

/** The mean of the rounds, and the mean of the ratios to one process in the same round. */
function compared(runs, ofOne, figureOf) {
  const ours = mean(runs.map(figureOf));
  if (runs === ofOne) return { ours, compare: 'amount', value: ours };
  const raw = mean(ofOne.map(figureOf));
  const value = mean(runs.map((run, round) => figureOf(run) / figureOf(ofOne[round])));
  return { ours, raw, compare: 'ratio', value };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
