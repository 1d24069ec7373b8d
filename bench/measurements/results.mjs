import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inTurn, secondsOf } from '../harness/compare.mjs';
import { makeTable } from '../harness/tables.mjs';

const AIM = { max: 1.3 };
const RUNS = 3;

/** `copy` are the options of COPY; DuckDB writes no Arrow by itself, so reading its chunks stands there. */
const FORMATS = [
  { format: 'csv', mediaType: 'text/csv', copy: 'FORMAT csv, HEADER', aim: AIM },
  {
    format: 'parquet',
    mediaType: 'application/vnd.apache.parquet',
    copy: 'FORMAT parquet, COMPRESSION zstd',
    aim: AIM,
  },
  { format: 'ndjson', mediaType: 'application/x-ndjson', copy: 'FORMAT json' },
  { format: 'json', mediaType: 'application/json', copy: 'FORMAT json, ARRAY true', isAnswer: true },
  { format: 'arrow', mediaType: 'application/vnd.apache.arrow.stream' },
];

/** @type {import('./index.mjs').Measurement} */
export const results = {
  name: 'results',
  about: 'seconds of a download of large results in each format, against one COPY to that format',
  async *measure(bench) {
    const sizes = bench.quick ? [50_000] : [1_000_000, 5_000_000];
    const tenant = await (await bench.millrace()).newTenant();
    for (const rows of sizes) {
      const name = `rows_${rows}`;
      const path = await makeTable(bench, { tenant, name, content: 'events', rows });
      const table = { tenant, path, rows, sql: `SELECT * FROM datasets.${name}` };
      for (const format of FORMATS) yield await download(bench, table, format);
      if (rows > sizes[0]) continue;
      // In JSON, an answer to a statement has its first rows only.
      for (const format of FORMATS.filter(({ isAnswer }) => !isAnswer)) yield await answer(bench, table, format);
    }
  },
};

/** The rows of a stored result. */
async function download(bench, table, format) {
  const { tenant, sql, rows } = table;
  const { result_id: id } = await tenant.answer({ sql, limit_rows: 0 });
  await tenant.untilReady(id);
  const path = `/v1/results/${id}/download?format=${format.format}`;
  return inFormat(bench, {
    ...table,
    ...format,
    name: `${millions(rows)} rows as ${format.format}`,
    ask: () => tenant.drain(path),
  });
}

/** The rows of a statement, as its answer. */
async function answer(bench, table, format) {
  const { tenant, sql, rows } = table;
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: format.mediaType },
    body: JSON.stringify({ sql }),
  };
  const name = `statement of ${millions(rows)} rows as ${format.format}`;
  return inFormat(bench, { ...table, ...format, name, ask: () => tenant.drain('/v1/query', request) });
}

/** @returns {Promise<import('../report.mjs').Line>} */
async function inFormat(bench, { name, ask, mediaType, copy, aim, path }) {
  const line = { name, unit: 's', compare: /** @type {const} */ ('ratio'), ...(aim && { aim }) };
  const first = await ask();
  if (first.status !== 200 || !first.type.startsWith(mediaType)) return { ...line, note: 'not offered' };
  const { pid } = await bench.millrace();
  const duckdb = await bench.duckdb();
  const select = `SELECT * FROM read_parquet('${path}')`;
  const target = join(bench.folder, 'copied');
  const compared = await inTurn({
    ours: { pid, work: () => secondsOf(() => whole(ask, first.bytes)) },
    raw: {
      pid: duckdb.pid,
      work: () => (copy ? duckdb.run(`COPY (${select}) TO '${target}' (${copy})`) : duckdb.readAll(select)),
    },
    runs: bench.quick ? 1 : RUNS,
    signal: bench.signal,
  });
  await rm(target, { force: true });
  return { ...line, ...compared, value: compared.ratio, ...(!copy && { note: 'against reading the chunks' }) };
}

async function whole(ask, bytesWanted) {
  const { status, bytes } = await ask();
  // Parquet has no bytes that are always the same when two threads write it.
  if (status !== 200 || Math.abs(bytes - bytesWanted) > bytesWanted / 100) {
    throw new Error(`An answer ended with status ${status} after ${bytes} of ${bytesWanted} bytes.`);
  }
}

const millions = (rows) => `${(rows / 1_000_000).toLocaleString('en')}M`;
