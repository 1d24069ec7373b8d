import { fileOf } from '../harness/data.mjs';
import { peakBytesOf } from '../harness/processes.mjs';
import { Peaks } from '../harness/peaks.mjs';
import { makeTable } from '../harness/tables.mjs';

/** The large one against the small one: what does not grow by a quarter does not grow with the size. */
const FLAT = { max: 1.25 };
const MB = 1_000_000;
const WARM_UPS = 3;
const LOOK_MS = 100;

/** @type {import('./index.mjs').Measurement} */
export const memory = {
  name: 'memory',
  about: 'the most memory of each process, and that it does not grow with a file or a result',
  hasOwnServer: true,
  async *measure(bench) {
    const millrace = await bench.newMillrace();
    const peaks = bench.ending(new Peaks(millrace.pid));
    yield* growth(bench, { millrace, peaks, ...filesOf(bench) });
    yield* growth(bench, { millrace, peaks, ...resultsOf(bench) });
    yield* each(bench, peaks);
    await peaks.stop();
    await millrace.stop();
  },
};

/** @returns {AsyncGenerator<import('../report.mjs').Line>} */
async function* growth(bench, { millrace, peaks, name, prepare, work }) {
  const [small, large] = await prepare(millrace);
  for (let round = 0; round < WARM_UPS; round += 1) await work(millrace, small);
  const before = await seen(peaks, 'services');
  await work(millrace, large);
  const after = await seen(peaks, 'services');
  bench.signal.throwIfAborted();
  yield {
    name: `services' memory, ${name}`,
    ...{ unit: 'MB', ours: after / MB, raw: before / MB, compare: 'ratio', value: after / before, aim: FLAT },
  };
}

/** A file that is uploaded and made into a table. */
function filesOf(bench) {
  const sizes = bench.quick ? [1, 10] : [10, 1_000];
  return {
    name: `file of ${sizes[1].toLocaleString('en')} MB against ${sizes[0]} MB`,
    prepare: async () => {
      const place = { duckdb: await bench.duckdb(), folder: bench.folder };
      const path = (megabytes) => fileOf(place, { content: 'events', format: 'csv', megabytes });
      return [await path(sizes[0]), await path(sizes[1])];
    },
    work: async ({ tenant }, path) => tenant.createDataset({ uploadId: await tenant.uploadFile(path, 'text/csv') }),
  };
}

/** A statement whose result is read to its end, in the format that is largest where it is offered. */
function resultsOf(bench) {
  const sizes = bench.quick ? [1_000, 50_000] : [10_000, 5_000_000];
  return {
    name: `result of ${sizes[1].toLocaleString('en')} rows against ${sizes[0].toLocaleString('en')}`,
    prepare: async ({ tenant }) => {
      for (const rows of sizes) await makeTable(bench, { tenant, name: `of_${rows}`, content: 'events', rows });
      return sizes;
    },
    work: async ({ tenant }, rows) => {
      const { result_id: id } = await tenant.answer({ sql: `SELECT * FROM datasets.of_${rows}` });
      await tenant.untilReady(id);
      await tenant.drain(`/v1/results/${id}/download?format=csv`);
    },
  };
}

/** Raw DuckDB has done the same conversions of files, in one process. */
async function* each(bench, peaks) {
  const raw = await peakBytesOf((await bench.duckdb()).pid);
  for (const [kind, bytes] of peaks.bytes) {
    const isEngine = kind === 'engine, queries' || kind === 'engine, conversions';
    yield {
      name: `peak memory, ${kind}`,
      ...{ unit: 'MB', ours: bytes / MB, compare: 'amount', value: bytes / MB },
      ...(isEngine && { raw: raw / MB, note: 'against all that raw DuckDB did' }),
    };
  }
}

/** After another look at everything. */
async function seen(peaks, kind) {
  await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  return peaks.bytes.get(kind) ?? 0;
}
