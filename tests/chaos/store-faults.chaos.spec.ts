import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, type FaultScope, type S3Fault } from '@millrace/testing';
import { compareStoreWithCatalog } from '../e2e/harness/compare-store-with-catalog.js';
import { expectKept } from '../e2e/harness/expect-kept.js';
import { Fleet } from '../e2e/harness/fleet/fleet.js';
import type { TenantUnderTest } from '../e2e/harness/millrace.js';
import { saysWhenToComeAgain } from '../e2e/harness/fleet/retryable.js';
import { largeCsvOf, type Load, Promises, startLoad } from '../e2e/harness/kill-load.js';
import { waitForOpenWork } from '../e2e/harness/open-work.js';
import { repeatedEffects } from '../e2e/harness/repeated-effects.js';

const TEST_MAX_MS = 240_000;
/** Calls of the store under each fault at least. */
const CALLS = 90;
/** About 9 MB: it goes into the store in parts. */
const LARGE_BLOCKS = 40;
const TRIES_MAX = 20;

interface FaultCase {
  readonly what: string;
  readonly fault: S3Fault;
  readonly scope: FaultScope;
}

const FAULTS: readonly FaultCase[] = [
  { what: 'asks to slow down', fault: { kind: 'answer', status: 503, code: 'SlowDown' }, scope: { every: 3 } },
  {
    what: 'has an error of its own',
    fault: { kind: 'answer', status: 500, code: 'InternalError' },
    scope: { every: 3 },
  },
  { what: 'loses its answers', fault: { kind: 'lose' }, scope: { every: 3 } },
  { what: 'breaks off what it gives', fault: { kind: 'cut', afterBytes: 100 }, scope: { of: 'GetObject', every: 3 } },
  { what: 'gives too few bytes', fault: { kind: 'shorten', bytes: 100 }, scope: { of: 'GetObject', every: 3 } },
  { what: 'is slow with each call', fault: { kind: 'delay', delayMs: 150 }, scope: {} },
];

describe('a store that fails', () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await Fleet.start();
  }, TEST_MAX_MS);
  afterAll(() => fleet.stop(), TEST_MAX_MS);

  /** Ends the load and looks at everything that must hold. */
  const expectNothingLost = async ({ asAdmin }: TenantUnderTest, load: Load, promises: Promises): Promise<void> => {
    const errors = await load.stop();
    expect(errors.filter((error) => !saysWhenToComeAgain(error))).toEqual([]);
    expect(await waitForOpenWork(asAdmin)).toEqual([]);
    await expectKept(promises, asAdmin, ['result.lost', 'storage.unavailable']);
    expect(await repeatedEffects(fleet.databaseUrl)).toEqual([]);
  };

  it.each(FAULTS)(
    'and $what loses nothing, and serves who comes again',
    async ({ fault, scope }) => {
      await fleet.explained(async () => {
        const tenant = await fleet.newTenant();
        const promises = new Promises();
        fleet.s3.fail(fault, scope);
        const load = startLoad(tenant.asAdmin, promises);
        await makeLargeTable(tenant, promises);
        await eventually('many calls have met the fault', () => fleet.s3.requests.length >= CALLS, TEST_MAX_MS);
        await eventually('something of each kind was promised', () => promises.areOfEachKind(), TEST_MAX_MS);
        fleet.s3.heal();
        await expectNothingLost(tenant, load, promises);
      });
    },
    TEST_MAX_MS,
  );

  it(
    'and takes no connections for a while loses nothing, says so, and is used again when it is back',
    async () => {
      await fleet.explained(async () => {
        const tenant = await fleet.newTenant();
        const promises = new Promises();
        const load = startLoad(tenant.asAdmin, promises);
        await eventually('something of each kind was promised', () => promises.areOfEachKind(), TEST_MAX_MS);
        await fleet.s3.refuse();
        await eventually('clients hear of it', () => load.errors.length > 0, TEST_MAX_MS);
        await fleet.s3.accept();
        await fleet.untilReady();
        const before = promises.tables.size;
        await eventually('tables are made again', () => promises.tables.size > before, TEST_MAX_MS);
        await expectNothingLost(tenant, load, promises);
      });
    },
    TEST_MAX_MS,
  );

  it('left no file without a row, and no row without its file', async () => {
    const { databaseUrl, store } = fleet;
    expect(await compareStoreWithCatalog({ databaseUrl, objects: store })).toEqual([]);
  });
});

/** A file in parts, and a table of it, by a client that comes again when it is told to. */
async function makeLargeTable({ asAdmin }: TenantUnderTest, promises: Promises): Promise<void> {
  const { content, rowCount } = largeCsvOf(LARGE_BLOCKS);
  const headers = { 'content-type': 'text/csv' };
  const { body: file } = await comingAgain(() => asAdmin.call('file.upload', { body: content, headers }));
  expect(file.size_bytes).toBe(Buffer.byteLength(content));
  promises.uploads.set(file.id, file.size_bytes);
  const source = { upload_id: file.id };
  const { body: dataset } = await comingAgain(() =>
    asAdmin.call('dataset.create', { body: { label: 'Large', source }, headers: { prefer: 'wait=60' } }),
  );
  expect(dataset).toMatchObject({ status: 'ready', row_count: rowCount });
  promises.tables.set(dataset.table_name, rowCount);
}

async function comingAgain<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (!saysWhenToComeAgain(error) || tries === TRIES_MAX) throw error;
    }
  }
}
