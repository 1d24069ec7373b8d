import { setTimeout as sleep } from 'node:timers/promises';
import { CUSTOMERS } from '../harness/data.mjs';
import { median, quantile } from '../harness/statistics.mjs';
import { makeTable } from '../harness/tables.mjs';

/**
 * Between two statements: the time of one is that of a service which has finished with the one before. What a service gives
 * that never rests, `throughput` shows.
 */
const REST_MS = 100;
/** At p50, over raw DuckDB. */
const AIM = { max: 10 };
const WARM_UPS = 5;

/** @type {import('./index.mjs').Measurement} */
export const latency = {
  name: 'latency',
  about: 'milliseconds of warm statements over HTTP, against the same SELECT in one process with its rows as JSON',
  async *measure(bench) {
    const [small, large] = bench.quick ? [100_000, 200_000] : [1_000_000, 10_000_000];
    const tenant = await (await bench.millrace()).newTenant();
    await makeTable(bench, { tenant, name: 'events', content: 'events', rows: small });
    await makeTable(bench, { tenant, name: 'more_events', content: 'events', rows: large });
    await makeTable(bench, { tenant, name: 'customers', content: 'customers', rows: CUSTOMERS });
    for (const statement of statementsOf({ small, large })) yield* compare(bench, tenant, statement);
  },
};

function statementsOf({ small, large }) {
  const groups = (table) =>
    `SELECT region, count(*) AS n, sum(amount) AS total FROM datasets.${table} GROUP BY ALL ORDER BY region`;
  return [
    { name: 'constant', sql: 'SELECT 1 AS one', aim: AIM },
    { name: 'point lookup', sql: 'SELECT * FROM datasets.events WHERE id = $1', params: [small / 2], aim: AIM },
    { name: `groups of ${millions(small)} rows`, sql: groups('events'), aim: AIM },
    { name: `groups of ${millions(large)} rows`, sql: groups('more_events') },
    {
      name: 'join',
      sql: `SELECT c.segment, sum(e.amount) AS total FROM datasets.events e
        JOIN datasets.customers c ON c.id = e.customer GROUP BY ALL ORDER BY c.segment`,
    },
    { name: '10,000 rows', sql: 'SELECT * FROM datasets.events WHERE id < 10000', params: [] },
  ];
}

const millions = (rows) => `${(rows / 1_000_000).toLocaleString('en')}M`;

/** @returns {AsyncGenerator<import('../report.mjs').Line>} */
async function* compare(bench, tenant, { name, aim, ...statement }) {
  const duckdb = await bench.duckdb();
  const { sql, params = [] } = statement;
  const ours = [];
  const raw = [];
  const runs = bench.quick ? 10 : 200;
  for (let run = -WARM_UPS; run < runs; run += 1) {
    bench.signal.throwIfAborted();
    await sleep(REST_MS);
    const startedAt = performance.now();
    const { status, text } = await tenant.query({ ...statement, limit_rows: 10_000 });
    const tookMs = performance.now() - startedAt;
    if (status !== 200) throw new Error(`"${name}" failed with ${status}: ${text.slice(0, 500)}`);
    const rawMs = await duckdb.rowsMs(sql, params);
    if (run < 0) continue;
    ours.push(tookMs);
    raw.push(rawMs);
  }
  const atHalf = { ours: median(ours), raw: median(raw) };
  const at99 = { ours: quantile(ours, 0.99), raw: quantile(raw, 0.99) };
  const line = (/** @type {string} */ which, figures) => ({
    name: `${name}, ${which}`,
    unit: 'ms',
    compare: /** @type {const} */ ('difference'),
    ...figures,
    value: figures.ours - figures.raw,
  });
  yield { ...line('p50', atHalf), ...(aim && { aim }) };
  yield line('p99', at99);
}
