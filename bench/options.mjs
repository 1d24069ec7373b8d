import { parseArgs } from 'node:util';
import { MEASUREMENTS } from './measurements/index.mjs';

const MINUTES_DEFAULT = 60;
const MINUTES_DEFAULT_QUICK = 10;

export const HELP = `npm run bench                          everything, about twenty minutes on an idle machine
npm run bench -- --quick               small sizes, a few minutes; the ratios say less
npm run bench -- --only upload         some of it; can be given several times
npm run bench -- --json figures.json   writes the figures into a file, too
npm run bench -- --minutes 90          gives up after so long

Measurements:
${MEASUREMENTS.map(({ name, about }) => `  ${name.padEnd(12)}${about}`).join('\n')}

Everything runs on a server of its own in a temporary folder, which needs up to 8 GB there.
How to read the table: docs/benchmarks.md
`;

/** The command line is not understood: says why. */
export class UsageError extends Error {}

/**
 * @param {readonly string[]} args
 * @returns {{ help: boolean, quick: boolean, chosen: typeof MEASUREMENTS, json: string | undefined, limitMs: number }}
 * @throws UsageError
 */
export function parseOptions(args) {
  const { help = false, quick = false, only, json, minutes } = valuesOf(args);
  const unknown = only?.find((name) => !MEASUREMENTS.some((measurement) => measurement.name === name));
  if (unknown !== undefined) throw new UsageError(`There is no measurement "${unknown}".`);
  const limit = Number(minutes ?? (quick ? MINUTES_DEFAULT_QUICK : MINUTES_DEFAULT));
  if (!(limit > 0)) throw new UsageError('--minutes takes a number above 0.');
  const chosen = only ? MEASUREMENTS.filter(({ name }) => only.includes(name)) : MEASUREMENTS;
  return { help, quick, chosen, json, limitMs: limit * 60_000 };
}

function valuesOf(args) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        quick: { type: 'boolean' },
        only: { type: 'string', multiple: true },
        json: { type: 'string' },
        minutes: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}
