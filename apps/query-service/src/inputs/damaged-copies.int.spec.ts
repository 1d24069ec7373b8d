import { chmod, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Dataset } from '@millrace/catalog';
import type { Principal } from '@millrace/domain';
import { QueryServiceHarness } from '../../test/query-service-harness.js';
import { createTable } from '../../test/tables.js';

let harness: QueryServiceHarness;
let caller: Principal;
let table: Dataset;

beforeAll(async () => {
  harness = await QueryServiceHarness.start();
  // Only copies can be damaged by themselves.
  harness.store.moveAway();
});
afterAll(() => harness.stop());

beforeEach(async () => {
  caller = (await harness.createTenant()).admin.principal;
  table = await createTable(harness, caller, { sql: 'SELECT range AS n FROM range(3)' });
});

/** Other bytes, and nothing else changes: what a failing disk does. */
async function rot(path: string): Promise<void> {
  const { atime, mtime, size } = await stat(path);
  await chmod(path, 0o600);
  await writeFile(path, Buffer.alloc(size, 'x'));
  await utimes(path, atime, mtime);
}

/** Reads the table once, so that there is a copy, and damages that. */
async function damageCopy(): Promise<void> {
  expect((await preview()).status).toBe(200);
  const root = join(harness.folder, 'engine', 'cache', '0', caller.tenantId);
  for (const name of await readdir(root)) await rot(join(root, name));
}

const preview = () => harness.get(caller, `/v1/datasets/${table.id}/preview`);

async function damagedCount(): Promise<number> {
  const metric = await harness.metrics.getSingleMetric('millrace_cache_evictions_total')?.get();
  return metric?.values.find(({ labels }) => labels['reason'] === 'damaged')?.value ?? 0;
}

describe('a local copy that rots while the service runs', () => {
  const readers: Record<string, () => Promise<unknown>> = {
    'a preview': async () => (await preview()).body['rows'],
    'a statement': () => harness.rows(caller, `SELECT n FROM datasets.${table.tableName}`),
    'a download': async () => {
      const answer = await harness.ask(caller, `/v1/datasets/${table.id}/download?format=json`);
      return ((await answer.json()) as { n: number }[]).map(({ n }) => [n]);
    },
  };

  it.each(Object.keys(readers))('is fetched again for %s', async (reader) => {
    await damageCopy();
    const before = await damagedCount();
    expect(await readers[reader]?.()).toEqual([[0], [1], [2]]);
    expect(await damagedCount()).toBe(before + 1);
  });
});

describe('an object that is damaged in the store', () => {
  it('is said to be, each time, and content that comes again is stored again', async () => {
    const [head] = await harness.catalog.datasets.resolveTables(caller.tenantId, [table.tableName]);
    const { storageKey = '' } = head?.head?.files[0] ?? {};
    await rot(join(harness.folder, 'objects', storageKey));
    const answers = [await harness.query(caller, `SELECT n FROM datasets.${table.tableName}`), await preview()];
    for (const { body } of answers) expect(body).toMatchObject({ status: 500, code: 'storage.object_corrupt' });
    const [row] = await harness.catalog.transaction<{ lost: boolean }[]>((transaction) =>
      transaction.query('SELECT lost_at IS NOT NULL AS lost FROM blobs WHERE storage_key = $1', [storageKey]),
    );
    expect(row?.lost).toBe(true);
  });
});
