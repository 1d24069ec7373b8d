import { stat } from 'node:fs/promises';
import { join } from 'node:path';

const MB = 1_000_000;
const SAMPLE_ROWS = 20_000;
const DOUBLE_COLUMNS = 50;
export const CUSTOMERS = 100_000;

/** Rows as many tables have them: whole numbers, texts that repeat, amounts and times. The same ones every time. */
const eventsOf = (rows) => `
  SELECT i AS id, (hash(i) % ${CUSTOMERS})::INTEGER AS customer,
    ['North', 'South', 'East', 'West', 'Centre', 'Coast', 'Isles', 'Abroad'][(1 + hash(i + 1) % 8)::INTEGER] AS region,
    'product ' || (hash(i + 2) % 1000) AS product, ((hash(i + 3) % 1000000) / 100)::DECIMAL(12, 2) AS amount,
    (hash(i + 4) % 100000000) / 1000.0 AS weight, TIMESTAMP '2025-01-01' + to_seconds((hash(i + 5) % 31536000)::BIGINT) AS at
  FROM range(${rows}) AS r(i)`;

/** Nothing but numbers with all their digits. */
const doublesOf = (rows) => {
  const columns = Array.from({ length: DOUBLE_COLUMNS }, (_, index) => `hash(i + ${index}) / 7e15 AS c${index}`);
  return `SELECT ${columns.join(', ')} FROM range(${rows}) AS r(i)`;
};

const customersOf = (rows) => `SELECT i AS id, 'segment ' || (i % 20) AS segment FROM range(${rows}) AS r(i)`;

/** @type {Record<string, (rows: number) => string>} */
const CONTENTS = { events: eventsOf, doubles: doublesOf, customers: customersOf };
/** @type {Record<string, string>} */
const COPY_OPTIONS = { csv: 'FORMAT csv, HEADER', ndjson: 'FORMAT json', parquet: 'FORMAT parquet, COMPRESSION zstd' };

/**
 * Writes a file of so many rows, or of about so many megabytes, into a folder, unless it is there.
 *
 * @param {{ duckdb: import('./raw-duckdb.mjs').RawDuckdb, folder: string }} place
 * @param {{ content: string, format: string, rows?: number, megabytes?: number }} file `events`, `doubles` or `customers`, as
 *   `csv`, `ndjson` or `parquet`
 * @returns {Promise<string>} its path
 */
export async function fileOf({ duckdb, folder }, { content, format, rows, megabytes = 0 }) {
  const path = join(folder, `${content}-${rows ?? `${megabytes}mb`}.${format}`);
  if (await sizeOf(path)) return path;
  const write = (count, target) =>
    duckdb.run(`COPY (${CONTENTS[content](count)}) TO '${target}' (${COPY_OPTIONS[format]})`);
  if (rows !== undefined) await write(rows, path);
  else {
    const sample = join(folder, `sample.${format}`);
    await write(SAMPLE_ROWS, sample);
    await write(Math.round((megabytes * MB * SAMPLE_ROWS) / (await sizeOf(sample))), path);
  }
  return path;
}

/** @param {string} path @returns {Promise<number>} bytes; 0 when it is not there */
export async function sizeOf(path) {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
