import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, type FaultScope, type S3Fault } from '@millrace/testing';
import { Fleet } from '../e2e/harness/fleet/fleet.js';
import type { TenantUnderTest } from '../e2e/harness/millrace.js';
import { saysWhenToComeAgain } from '../e2e/harness/fleet/retryable.js';
import { largeCsvOf, type Promises } from '../e2e/harness/kill-load.js';
import { itLeftStoreAndCatalogInOrder } from './harness/left-in-order.js';
import { expectKeptUnderLoad } from './harness/expect-kept-under-load.js';

const TEST_MAX_MS = 240_000;
/** Calls of the store under each fault at least. */
const CALLS = 90;
/** About 9 MB: it goes into the store in parts. */
const LARGE_BLOCKS = 40;
const TRIES_MAX = 20;
/** A result is tried to be stored for a while, and then says why it was not. */
const LOST_BY = ['result.lost', 'storage.unavailable'];

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

  it.each(FAULTS)(
    'and $what loses nothing, and serves who comes again',
    async ({ fault, scope }) => {
      fleet.s3.fail(fault, scope);
      await expectKeptUnderLoad(
        fleet,
        async ({ tenant, promises }) => {
          await makeLargeTable(tenant, promises);
          await eventually('many calls have met the fault', () => fleet.s3.requests.length >= CALLS, TEST_MAX_MS);
          await eventually('something of each kind was promised', () => promises.areOfEachKind(), TEST_MAX_MS);
          fleet.s3.heal();
        },
        { lostBy: LOST_BY },
      );
    },
    TEST_MAX_MS,
  );

  it(
    'and takes no connections for a while loses nothing, says so, and is used again when it is back',
    async () => {
      await expectKeptUnderLoad(
        fleet,
        async ({ load, promises }) => {
          await eventually('something of each kind was promised', () => promises.areOfEachKind(), TEST_MAX_MS);
          await fleet.s3.refuse();
          await eventually('clients hear of it', () => load.errors.length > 0, TEST_MAX_MS);
          await fleet.s3.accept();
          await fleet.untilReady();
          const before = promises.tables.size;
          await eventually('tables are made again', () => promises.tables.size > before, TEST_MAX_MS);
        },
        { lostBy: LOST_BY },
      );
    },
    TEST_MAX_MS,
  );

  itLeftStoreAndCatalogInOrder(() => fleet);
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
