import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WrittenBlob } from '@millrace/domain';
import { objectKeys } from '@millrace/object-store';
import { eventually } from '@millrace/testing';
import { MaintenanceBench, type Owner } from '../../test/maintenance-bench.js';

const GRACE_MS = 400;

let bench: MaintenanceBench;
let owner: Owner;

beforeEach(async () => {
  bench = await MaintenanceBench.open({ blobGraceMs: GRACE_MS });
  owner = await bench.newOwner();
});
afterEach(async () => {
  bench.store.heal();
  await bench.expectNoOrphans();
  await bench.close();
});

/** A blob with one reference. */
async function liveBlob(content: string): Promise<WrittenBlob> {
  const blob = await bench.write(owner, content);
  await bench.catalog.transaction((transaction) =>
    bench.catalog.blobs.commitWritten(transaction, { ...owner, ...blob }),
  );
  return blob;
}

const release = ({ storageKey }: WrittenBlob) =>
  bench.catalog.transaction((transaction) => bench.catalog.blobs.release(transaction, { ...owner, storageKey }));

const isRegistered = async (storageKey: string) => Boolean(await bench.catalog.blobs.find({ ...owner, storageKey }));
const isStored = async (storageKey: string) => Boolean(await bench.store.find(storageKey));

const gone = ({ storageKey }: WrittenBlob) =>
  eventually(`${storageKey} is gone`, async () => !(await isRegistered(storageKey)) && !(await isStored(storageKey)));

const deletionsOf = ({ storageKey }: WrittenBlob) =>
  bench.store.calls.filter(({ call, key }) => call === 'delete' && key === storageKey).length;

describe('the sweeper of blobs', () => {
  it('deletes what lost its last reference, after the grace period and not before', async () => {
    const { metrics } = await bench.startWorker();
    const blob = await liveBlob('a');
    const releasedAt = performance.now();
    await release(blob);
    await gone(blob);
    expect(performance.now() - releasedAt).toBeGreaterThanOrEqual(GRACE_MS - 5);
    expect(await metrics.getSingleMetricAsString('millrace_blob_deletions_total')).toContain('_total 1');
  });

  it('leaves a blob alone that was revived within the grace period', async () => {
    const blob = await liveBlob('a');
    await release(blob);
    const again = await bench.write(owner, 'a');
    await bench.catalog.transaction((transaction) =>
      bench.catalog.blobs.commitWritten(transaction, { ...owner, ...again }),
    );
    const other = await liveBlob('b');
    await release(other);
    await bench.startWorker();
    await gone(other);
    await gone(again);
    expect(await isStored(blob.storageKey)).toBe(true);
  });

  it('keeps what is pinned until the pin is taken off, or its lease is over', async () => {
    const { tenantId } = owner;
    const [taken, lost, free] = [await liveBlob('taken'), await liveBlob('lost'), await liveBlob('free')];
    const pin = (holder: string, { storageKey }: WrittenBlob, leaseMs: number) =>
      bench.catalog.blobs.pin({ tenantId, storageKeys: [storageKey], holder, leaseMs });
    await pin('a query', taken, 60_000);
    await pin('a lost query', lost, 1_000);
    for (const blob of [taken, lost, free]) await release(blob);
    await bench.startWorker();
    await gone(free);
    await gone(lost);
    expect(await isStored(taken.storageKey)).toBe(true);
    expect(await bench.query(`SELECT holder FROM blob_pins`)).toEqual([{ holder: 'a query' }]);
    await bench.catalog.blobs.unpin({ tenantId, holder: 'a query' });
    await gone(taken);
  });

  it('deletes what a writer left behind, half-written or whole', async () => {
    const half = { tenantId: owner.tenantId, storageKey: objectKeys.upload(owner.tenantId) };
    await bench.catalog.blobs.beginWriting({ ...half, leaseMs: 100 });
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const slow = (async function* () {
      yield Buffer.from('a');
      await released;
    })();
    const put = bench.store.put(half.storageKey, slow).catch((error: unknown) => error);
    await eventually('its first bytes are there', () => isStoredPartly(half.storageKey));
    const whole = await bench.write(owner, 'whole');
    await bench.catalog.blobs.extendWriting({ ...owner, storageKey: whole.storageKey, leaseMs: 0 });
    await bench.startWorker();
    await gone(whole);
    await eventually('the half is gone', async () => !(await isRegistered(half.storageKey)));
    release();
    expect(await put).toMatchObject({ code: 'storage.unavailable' });
    expect(await bench.keysInStore()).toEqual([]);
  });

  it('tries again until the store deletes, however often it fails, and forgets nothing', async () => {
    const { metrics } = await bench.startWorker();
    bench.store.fail('delete');
    const blobs = await Promise.all(['a', 'b', 'c'].map(liveBlob));
    for (const blob of blobs) await release(blob);
    for (const round of [1, 2, 3]) {
      await eventually(`${round} failures are noted`, async () => (await attempts()).every((count) => count === round));
      expect(blobs.map(deletionsOf)).toEqual([round, round, round]);
      if (round === 3) bench.store.heal();
      await bench.query('UPDATE blobs SET due_at = now()');
    }
    expect(await metrics.getSingleMetricAsString('millrace_blob_deletion_failures_total')).toContain('_total 9');
    for (const blob of blobs) await gone(blob);
  });

  it('takes a deletion over whose answer was lost, or whose sweeper went away', async () => {
    bench.store.fail('delete', { when: 'after', times: 1 });
    const blob = await liveBlob('a');
    await release(blob);
    await bench.startWorker();
    await eventually('the failure is noted', async () => (await attempts())[0] === 1);
    expect([await isStored(blob.storageKey), await isRegistered(blob.storageKey)]).toEqual([false, true]);
    await bench.query('UPDATE blobs SET due_at = now()');
    await gone(blob);
  });

  it('does every deletion once when two instances sweep', async () => {
    const blobs = await Promise.all(Array.from({ length: 60 }, (_, index) => liveBlob(`blob ${index}`)));
    for (const blob of blobs) await release(blob);
    await Promise.all([bench.startWorker(), bench.startWorker()]);
    for (const blob of blobs) await gone(blob);
    expect(blobs.map(deletionsOf)).toEqual(blobs.map(() => 1));
  });

  async function isStoredPartly(storageKey: string): Promise<boolean> {
    return (await bench.keysInStore()).includes(storageKey);
  }

  async function attempts(): Promise<number[]> {
    const rows = await bench.query<{ attempts: number }>('SELECT attempts FROM blobs');
    return rows.map((row) => row.attempts);
  }
});
