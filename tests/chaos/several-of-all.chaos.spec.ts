import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MillraceClient } from '@millrace/contract';
import { eventually, withClient } from '@millrace/testing';
import { Analyst } from '../e2e/harness/analyst.js';
import { expectKept } from '../e2e/harness/expect-kept.js';
import { Fleet } from '../e2e/harness/fleet/fleet.js';
import type { TenantUnderTest } from '../e2e/harness/millrace.js';
import { csvOf, Promises, startLoad } from '../e2e/harness/kill-load.js';
import { waitForOpenWork } from '../e2e/harness/open-work.js';
import { parseMetrics } from '../e2e/harness/parse-metrics.js';
import { repeatedEffects } from '../e2e/harness/repeated-effects.js';
import { itLeftStoreAndCatalogInOrder } from './harness/left-in-order.js';

const TEST_MAX_MS = 240_000;
const WAIT_MAX_MS = 90_000;
const TENANTS = 2;
const TABLES = 12;
const EXPIRING = 40;
/** Of jobs, longer than any pause of a busy machine: what is tried again here was done twice by mistake. */
const LEASE_MS = '60000';

describe('several processes of each service side by side', () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await Fleet.start({
      counts: { gateway: 2, 'query-service': 2, 'convert-worker': 2, 'maintenance-worker': 3 },
      variables: { LEASE_MS },
    });
  }, TEST_MAX_MS);
  afterAll(() => fleet.stop(), TEST_MAX_MS);

  const countOf = async (sql: string, values: unknown[] = []): Promise<number> =>
    withClient(fleet.databaseUrl, async (client) => {
      const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${sql}`, values);
      return Number(rows[0]?.count);
    });
  /** The sum of a metric over the processes that dispatch and sweep. */
  const sumOf = async (metric: string): Promise<number> => {
    const pages = await Promise.all(fleet.of('maintenance-worker').map((run) => run.page('/metrics')));
    const samples = pages.flatMap((page) => parseMetrics(page).get(metric)?.samples ?? []);
    return samples.reduce((sum, { value }) => sum + value, 0);
  };

  it(
    'admit, run and end each job once',
    async () => {
      await fleet.explained(async () => {
        const tenants = await Promise.all(Array.from({ length: TENANTS }, () => fleet.newTenant()));
        await Promise.all(tenants.map(workOf));
        expect(await repeatedEffects(fleet.databaseUrl)).toEqual([]);
        expect(await countOf("jobs WHERE attempt <> 1 OR failures <> 0 OR status <> 'succeeded'")).toBe(0);
        expect(await sumOf('millrace_jobs_admitted_total')).toBe(await countOf('jobs'));
      });
    },
    TEST_MAX_MS,
  );

  it(
    'end and delete once what has expired',
    async () => {
      await fleet.explained(async () => {
        const { asAdmin, tenantId } = await fleet.newTenant();
        for (let file = 0; file < EXPIRING; file += 1) {
          await asAdmin.call('file.upload', { body: `id\n${file}\n`, headers: { 'content-type': 'text/csv' } });
        }
        await withClient(fleet.databaseUrl, (client) =>
          client.query('UPDATE uploads SET expires_at = now() WHERE tenant_id = $1', [tenantId]),
        );
        await eventually(
          'all uploads have expired and their bytes are gone',
          async () => (await countOf('blobs WHERE tenant_id = $1', [tenantId])) === 0,
          WAIT_MAX_MS,
        );
        const { body } = await asAdmin.call('file.list', { query: { status: 'expired', limit: 2 * EXPIRING } });
        expect(body.uploads).toHaveLength(EXPIRING);
        const deleted = fleet.s3.requests
          .filter(({ operation, target }) => operation === 'DeleteObject' && target.includes(tenantId))
          .map(({ target }) => target);
        expect(deleted).toHaveLength(EXPIRING);
        expect(new Set(deleted).size).toBe(EXPIRING);
      });
    },
    TEST_MAX_MS,
  );

  itLeftStoreAndCatalogInOrder(() => fleet);
});

/** Makes many tables at once, queries meanwhile, and waits until all is done. */
async function workOf({ asAdmin }: TenantUnderTest): Promise<void> {
  const promises = new Promises();
  const load = startLoad(asAdmin, promises);
  try {
    await makeTables(asAdmin);
    await eventually('something of each kind was promised', () => promises.areOfEachKind(), WAIT_MAX_MS);
  } finally {
    await load.stop();
  }
  expect(load.errors).toEqual([]);
  expect(await waitForOpenWork(asAdmin)).toEqual([]);
  promises.uploads.clear();
  await expectKept(promises, asAdmin);
}

async function makeTables(client: MillraceClient): Promise<void> {
  const analyst = new Analyst(client);
  const rowCounts = Array.from({ length: TABLES }, (_, index) => 100 + index);
  const tables = rowCounts.map(async (rows) =>
    analyst.convert(await analyst.upload({ bytes: csvOf(rows), type: 'text/csv' })),
  );
  expect(await Promise.all(tables)).toMatchObject(rowCounts.map((rows) => ({ status: 'ready', row_count: rows })));
}
