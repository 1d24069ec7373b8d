import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { inTurn, secondsOf } from '../harness/compare.mjs';
import { makeTable } from '../harness/tables.mjs';

/** @type {import('./index.mjs').Measurement} */
export const persistence = {
  name: 'persistence',
  about: 'milliseconds from an answer until its result is a table, against copying and hashing its file',
  async *measure(bench) {
    const tenant = await (await bench.millrace()).newTenant();
    for (const rows of bench.quick ? [1, 50_000] : [1, 1_000_000]) yield await keep(bench, tenant, rows);
  },
};

/** @returns {Promise<import('../report.mjs').Line>} */
async function keep(bench, tenant, rows) {
  const name = `kept_${rows}`;
  const path = await makeTable(bench, { tenant, name, content: 'events', rows });
  const { pid } = await bench.millrace();
  const compared = await inTurn({
    ours: { pid, work: () => msUntilReady(tenant, `SELECT * FROM datasets.${name}`) },
    raw: {
      pid: process.pid,
      work: async () => 1_000 * (await secondsOf(() => copyHashed(path, join(bench.folder, 'kept')))),
    },
    runs: bench.quick ? 2 : 9,
    signal: bench.signal,
  });
  const { ours, raw } = compared;
  const title = `result of ${rows.toLocaleString('en')} row${rows === 1 ? '' : 's'} until ready`;
  return { name: title, unit: 'ms', compare: 'difference', ours, raw, value: ours - raw };
}

async function msUntilReady(tenant, sql) {
  const { result_id: id } = await tenant.answer({ sql, limit_rows: 0 });
  return 1_000 * (await secondsOf(() => tenant.untilReady(id)));
}

async function copyHashed(source, target) {
  const hash = createHash('sha256');
  const hashing = async function* (chunks) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  };
  await pipeline(createReadStream(source), hashing, createWriteStream(target));
  return hash.digest('hex');
}
