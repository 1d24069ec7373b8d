import { setTimeout as sleep } from 'node:timers/promises';
import { inTurn } from '../harness/compare.mjs';
import { makeTable } from '../harness/tables.mjs';

const CLIENTS = [1, 4, 16];
const TENANTS = [1, 8];
const ROWS = 100_000;
/** How long a client that was refused waits before it asks again. */
const REFUSED_WAIT_MS = 20;
const SQL = 'SELECT * FROM datasets.lookups WHERE id = $1';
const PARAMS = [ROWS / 2];

/** @type {import('./index.mjs').Measurement} */
export const throughput = {
  name: 'throughput',
  about: 'statements per second of several clients, against as many connections in one process',
  async *measure(bench) {
    const millrace = await bench.millrace();
    const tenants = [];
    for (let index = 0; index < Math.max(...TENANTS); index += 1) {
      const tenant = await millrace.newTenant();
      await makeTable(bench, { tenant, name: 'lookups', content: 'events', rows: ROWS });
      tenants.push(tenant);
    }
    for (const tenantCount of TENANTS) {
      for (const clients of CLIENTS.filter((count) => count > 1 || tenantCount === 1)) {
        yield await loadOf(bench, { tenants: tenants.slice(0, tenantCount), clients });
      }
    }
  },
};

/** @returns {Promise<import('../report.mjs').Line>} */
async function loadOf(bench, { tenants, clients }) {
  const { pid } = await bench.millrace();
  const duckdb = await bench.duckdb();
  const durationMs = bench.quick ? 500 : 5_000;
  let refused = 0;
  const onRefused = () => (refused += 1);
  const askers = Array.from({ length: clients }, (_, index) => tenants[index % tenants.length]);
  // Each has had a statement before, and with it an engine process that knows its files.
  await runClients(askers, { durationMs: durationMs / 5, onRefused: () => undefined });
  const compared = await inTurn({
    ours: { pid, work: () => runClients(askers, { durationMs, onRefused }) },
    raw: { pid: duckdb.pid, work: () => duckdb.load({ sql: SQL, params: PARAMS, clients, durationMs }) },
    runs: bench.quick ? 1 : 3,
    signal: bench.signal,
  });
  return {
    name: `${countOf(clients, 'client')} of ${countOf(tenants.length, 'tenant')}`,
    ...{ unit: 'statements/s', compare: 'ratio', ...compared, value: compared.ratio, cpuRatio: undefined },
    ...(refused > 0 && { note: `${refused} refused with 429` }),
  };
}

/** @returns {Promise<number>} answers per second */
async function runClients(askers, { durationMs, onRefused }) {
  const startedAt = performance.now();
  let answered = 0;
  const run = async (tenant) => {
    while (performance.now() - startedAt < durationMs) {
      const { status, text } = await tenant.query({ sql: SQL, params: PARAMS });
      if (status === 200) answered += 1;
      else if (status === 429) {
        onRefused();
        await sleep(REFUSED_WAIT_MS);
      } else throw new Error(`A statement failed with ${status}: ${text.slice(0, 500)}`);
    }
  };
  await Promise.all(askers.map(run));
  return answered / ((performance.now() - startedAt) / 1_000);
}

const countOf = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`;
