import { inTurn } from '../../harness/compare.mjs';
import { ConversionLoad } from '../../harness/fleet/conversion-load.mjs';

const FILES = { megabytes: 2, count: 16, runs: 3 };
const FILES_QUICK = { megabytes: 0.2, count: 4, runs: 1 };
/** What does the work itself, and is no part of any store. */
const SERVER = 'S3 server';

/** The same work on S3 and on a folder. */
export async function* stores(bench, onS3) {
  const { megabytes, count, runs } = bench.quick ? FILES_QUICK : FILES;
  const onFolder = await bench.newFleet({ queue: 'redis', store: 'folder' });
  await onFolder.scale({ 'maintenance-worker': 1, gateway: 1, 'convert-worker': 1, 'query-service': 1 });
  const loads = [
    await ConversionLoad.of(bench, { fleet: onS3, megabytes }),
    await ConversionLoad.of(bench, { fleet: onFolder, megabytes }),
  ];
  for (const load of loads) await load.run(2);
  /** @type {Map<ConversionLoad, import('../../harness/fleet/conversion-load.mjs').ConversionFigures[]>} */
  const figures = new Map(loads.map((load) => [load, []]));
  const sideOf = (load) => ({
    // Of one fleet there is no process that stands above the others.
    pid: 0,
    work: async () => {
      const run = await load.run(count);
      figures.get(load)?.push(run);
      return run.megabytesPerSecond;
    },
  });
  const [ours, raw] = loads;
  const compared = await inTurn({ ours: sideOf(ours), raw: sideOf(raw), runs, signal: bench.signal });
  yield {
    name: `conversion on S3 against a folder, ${count} files of ${megabytes} MB`,
    ...{ unit: 'MB/s', compare: 'ratio', ...compared, value: compared.ratio },
    cpuRatio: cpuRatioOf(figures.get(ours) ?? [], figures.get(raw) ?? []),
    note: 'CPU: without the S3 server itself',
  };
  yield cpuLine(figures.get(ours) ?? [], count, 'S3');
  yield cpuLine(figures.get(raw) ?? [], count, 'a folder');
  await onFolder.stop();
}

/** @param {readonly { use: import('../../harness/fleet/cpu-use.mjs').CpuUse }[]} runs */
function cpuLine(runs, count, store) {
  const cpuMs = (1_000 * runs.reduce((sum, { use }) => sum + use.seconds(), 0)) / (runs.length * count);
  const note = `ms: ${runs.at(-1)?.use.describeEach(count)}`;
  return { name: `CPU of a conversion on ${store}`, unit: 'ms', ours: cpuMs, compare: 'amount', value: cpuMs, note };
}

function cpuRatioOf(ours, raw) {
  const seconds = (runs) =>
    runs.reduce((sum, { use }) => sum + use.seconds() - use.seconds([SERVER]), 0) / Math.max(1, runs.length);
  return seconds(ours) / seconds(raw);
}
