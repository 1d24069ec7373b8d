import { join } from 'node:path';
import { inTurn, secondsOf } from '../harness/compare.mjs';
import { fileOf } from '../harness/data.mjs';

const AIM = { max: 1.2 };
const AIM_FROM_MEGABYTES = 100;
const RUNS = 3;

const FILES = [
  { content: 'events', format: 'csv', megabytes: 10, runs: 5 },
  { content: 'events', format: 'csv', megabytes: 100 },
  { content: 'doubles', format: 'csv', megabytes: 100 },
  { content: 'events', format: 'ndjson', megabytes: 100 },
  { content: 'events', format: 'csv', megabytes: 1_000 },
];
const QUICK_FILES = [
  { content: 'events', format: 'csv', megabytes: 5 },
  { content: 'doubles', format: 'csv', megabytes: 5 },
  { content: 'events', format: 'ndjson', megabytes: 5 },
];

/** @type {import('./index.mjs').Measurement} */
export const creation = {
  name: 'creation',
  about: 'seconds from an uploaded file to a table, against one COPY of it into Parquet',
  async *measure(bench) {
    for (const file of bench.quick ? QUICK_FILES : FILES) yield await createFrom(bench, file);
  },
};

/** @param {import('../harness/bench.mjs').Bench} bench @returns {Promise<import('../report.mjs').Line>} */
async function createFrom(bench, { runs = RUNS, ...file }) {
  const { format, megabytes, content } = file;
  const duckdb = await bench.duckdb();
  const { tenant, pid } = await bench.millrace();
  const path = await fileOf({ duckdb, folder: bench.folder }, file);
  const reader = format === 'csv' ? 'read_csv' : 'read_json';
  const target = join(bench.folder, 'converted.parquet');
  // The uploads come first: what counts is the way from the file in the store to the table.
  const uploadIds = [];
  for (let run = 0; run < runs; run += 1) uploadIds.push(await tenant.uploadFile(path));
  const create = (uploadId) => tenant.createDataset({ uploadId, format: format === 'csv' ? 'csv' : 'json' });
  const compared = await inTurn({
    ours: { pid, work: (run) => secondsOf(() => create(uploadIds[run])) },
    raw: {
      pid: duckdb.pid,
      work: () =>
        duckdb.run(`COPY (SELECT * FROM ${reader}('${path}')) TO '${target}' (FORMAT parquet, COMPRESSION zstd)`),
    },
    runs,
    signal: bench.signal,
  });
  return {
    name: `table of ${megabytes.toLocaleString('en')} MB ${format.toUpperCase()}, ${content}`,
    ...{ unit: 's', compare: 'ratio', ...compared, value: compared.ratio },
    ...(megabytes >= AIM_FROM_MEGABYTES && { aim: AIM }),
  };
}
