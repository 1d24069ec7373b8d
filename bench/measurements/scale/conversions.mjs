import { ConversionLoad } from '../../harness/fleet/conversion-load.mjs';
import { inSteps } from './steps.mjs';

const FILES = { megabytes: 2, count: 32, warmUps: 4 };
const FILES_QUICK = { megabytes: 0.2, count: 4, warmUps: 2 };

/** Files that are all there at once, converted by more and more workers. */
export async function* conversions(bench, fleet) {
  const { megabytes, count, warmUps } = bench.quick ? FILES_QUICK : FILES;
  const load = await ConversionLoad.of(bench, { fleet, megabytes });
  const name = `${count} files of ${megabytes} MB`;
  yield* inSteps(bench, {
    fleet,
    app: 'convert-worker',
    names: { rate: `conversion of ${name}`, wait: 'wait for a worker', piece: 'a conversion', unit: 'MB/s' },
    warmUp: () => load.run(warmUps),
    load: async () => {
      const { megabytesPerSecond, waitsMs, use } = await load.run(count);
      return { rate: megabytesPerSecond, pieces: count, waitsMs, use };
    },
  });
}
