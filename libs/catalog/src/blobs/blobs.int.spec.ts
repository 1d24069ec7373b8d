import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BlobKey, TenantId } from '@millrace/domain';
import type { Catalog } from '@millrace/catalog';
import { createTenant, openCatalog, registeredKeys, writeBlob, type TestCatalog } from '@millrace/testing';

const leaseMs = 60_000;
const OVER = -1_000;

describe('blobs', () => {
  let opened: TestCatalog;
  let catalog: Catalog;
  let tenantId: TenantId;

  beforeAll(async () => {
    opened = await openCatalog({ blobGraceMs: 0 });
    catalog = opened.catalog;
  });
  beforeAll(async () => {
    ({ tenantId } = await createTenant(catalog));
  });
  afterAll(() => opened.stop());

  const statusOf = async (storageKey: string) => (await catalog.blobs.find({ tenantId, storageKey }))?.status;
  const commit = async (content: string, owner = tenantId) => {
    const written = await writeBlob(catalog, owner, { content });
    const reference = await catalog.transaction((tx) =>
      catalog.blobs.commitWritten(tx, { tenantId: owner, ...written }),
    );
    return { written, ...reference };
  };
  const release = (storageKey: string) =>
    catalog.transaction((tx) => catalog.blobs.release(tx, { tenantId, storageKey }));
  const takeDue = async () => (await catalog.blobs.takeDue({ limit: 100 })).map((blob: BlobKey) => blob.storageKey);

  it('keeps the same bytes of a tenant once, and those of two tenants twice', async () => {
    const other = await createTenant(catalog);
    const first = await commit('same');
    expect(await catalog.blobs.knowsAny()).toBe(true);
    const second = await commit('same');
    const foreign = await commit('same', other.tenantId);
    expect(first.deduplicated).toBe(false);
    expect(second).toMatchObject({ storageKey: first.storageKey, deduplicated: true });
    expect(foreign.deduplicated).toBe(false);
    expect(await statusOf(second.written.storageKey)).toBe('deleting');
    expect(await catalog.blobs.find({ tenantId, storageKey: first.storageKey })).toMatchObject({ referenceCount: 2 });
  });

  it('keeps the same bytes once when many writers commit them at the same moment', async () => {
    const references = await Promise.all(Array.from({ length: 8 }, () => commit('rush')));
    expect(new Set(references.map((reference) => reference.storageKey)).size).toBe(1);
    expect(references.filter((reference) => !reference.deduplicated)).toHaveLength(1);
  });

  it('waits for a writer of the same content that has not committed yet', async () => {
    const [first, second] = [
      await writeBlob(catalog, tenantId, { content: 'slow' }),
      await writeBlob(catalog, tenantId, { content: 'slow' }),
    ];
    const taken = Promise.withResolvers<void>();
    const slow = catalog.transaction(async (tx) => {
      await catalog.blobs.commitWritten(tx, { tenantId, ...first });
      taken.resolve();
      await sleep(200);
    });
    await taken.promise;
    const fast = catalog.transaction((tx) => catalog.blobs.commitWritten(tx, { tenantId, ...second }));
    expect(await fast).toEqual({ storageKey: first.storageKey, deduplicated: true });
    await slow;
  });

  it('revives a blob within its grace period, with the last of its references', async () => {
    const first = await commit('revived');
    await release(first.storageKey);
    expect(await statusOf(first.storageKey)).toBe('unreferenced');
    const again = await commit('revived');
    expect(again).toMatchObject({ storageKey: first.storageKey, deduplicated: true });
    expect(await takeDue()).not.toContain(first.storageKey);
    expect(await statusOf(first.storageKey)).toBe('live');
  });

  it('keeps the new bytes when the deletion of the old ones has begun', async () => {
    const first = await commit('late');
    await release(first.storageKey);
    expect(await takeDue()).toContain(first.storageKey);
    const again = await commit('late');
    expect(again).toMatchObject({ storageKey: again.written.storageKey, deduplicated: false });
  });

  it('keeps the new bytes when those it had are lost', async () => {
    const first = await commit('lost');
    await catalog.blobs.markLost({ tenantId, storageKey: first.storageKey });
    const second = await commit('lost');
    expect(second).toMatchObject({ deduplicated: false, storageKey: second.written.storageKey });
    expect(await commit('lost')).toMatchObject({ deduplicated: true, storageKey: second.storageKey });
    await release(first.storageKey);
    expect(await statusOf(first.storageKey)).toBe('unreferenced');
  });

  it('says whether bytes that a writer gives up were committed after all', async () => {
    const { storageKey } = await commit('committed');
    expect(await catalog.blobs.abandonWriting({ tenantId, storageKey })).toBe('in_use');
    expect(await statusOf(storageKey)).toBe('live');
    const written = await writeBlob(catalog, tenantId, { content: 'given up' });
    expect(await catalog.blobs.abandonWriting({ tenantId, storageKey: written.storageKey })).toBe('given_up');
    expect(await statusOf(written.storageKey)).toBe('deleting');
  });

  it('never gives back a reference that is not there', async () => {
    const { storageKey } = await commit('once');
    await release(storageKey);
    await expect(release(storageKey)).rejects.toThrow(/which has none/);
  });

  it('takes a writer whose lease is over for dead, and refuses what it commits after that', async () => {
    const written = await writeBlob(catalog, tenantId);
    await catalog.blobs.extendWriting({ tenantId, storageKey: written.storageKey, leaseMs: OVER });
    expect(await takeDue()).toContain(written.storageKey);
    const late = catalog.transaction((tx) => catalog.blobs.commitWritten(tx, { tenantId, ...written }));
    await expect(late).rejects.toMatchObject({ code: 'service.unavailable' });
    const extension = catalog.blobs.extendWriting({ tenantId, storageKey: written.storageKey, leaseMs });
    await expect(extension).rejects.toMatchObject({ code: 'service.unavailable' });
  });

  it('leaves a blob alone while a pin on it is alive', async () => {
    const { storageKey } = await commit('pinned');
    const pin = { tenantId, storageKeys: [storageKey], holder: 'a query' };
    await catalog.blobs.pin({ ...pin, leaseMs });
    await release(storageKey);
    expect(await takeDue()).not.toContain(storageKey);
    await catalog.blobs.extendPins({ tenantId, holder: 'a query', leaseMs: OVER });
    expect(await takeDue()).toContain(storageKey);
    await expect(catalog.blobs.pin({ ...pin, leaseMs })).rejects.toMatchObject({ code: 'storage.object_missing' });
  });

  it('takes other blobs although older ones are pinned', async () => {
    while ((await takeDue()).length > 0);
    const [pinned, free] = [await commit('held'), await commit('free')];
    await catalog.blobs.pin({ tenantId, storageKeys: [pinned.storageKey], holder: 'a long query', leaseMs });
    await release(pinned.storageKey);
    await release(free.storageKey);
    const taken = await catalog.blobs.takeDue({ limit: 1 });
    expect(taken).toEqual([{ tenantId, storageKey: free.storageKey }]);
    await catalog.blobs.unpin({ tenantId, holder: 'a long query' });
  });

  it('takes an unpinned blob, and pins all files or none', async () => {
    const { storageKey } = await commit('unpinned');
    await catalog.blobs.pin({ tenantId, storageKeys: [storageKey], holder: 'a query', leaseMs });
    await catalog.blobs.unpin({ tenantId, holder: 'a query' });
    const storageKeys = [storageKey, `t/${tenantId}/nothing`];
    const both = catalog.blobs.pin({ tenantId, storageKeys, holder: 'another', leaseMs });
    await expect(both).rejects.toMatchObject({ code: 'storage.object_missing' });
    await release(storageKey);
    expect(await takeDue()).toContain(storageKey);
  });

  it('never has a blob that is pinned and being deleted, however pins and sweepers race', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { storageKey } = await commit(`race ${round}`);
      await release(storageKey);
      const [pinned, taken] = await Promise.all([
        catalog.blobs.pin({ tenantId, storageKeys: [storageKey], holder: 'racer', leaseMs }).then(
          () => true,
          () => false,
        ),
        takeDue(),
      ]);
      expect([pinned, taken.includes(storageKey)].filter(Boolean).length).toBeLessThanOrEqual(1);
    }
    await catalog.blobs.unpin({ tenantId, holder: 'racer' });
  });

  it('gives each due blob to one sweeper only', async () => {
    const keys: string[] = [];
    for (let count = 0; count < 10; count += 1) keys.push((await commit(`shared ${count}`)).storageKey);
    await Promise.all(keys.map(release));
    const taken = (await Promise.all([takeDue(), takeDue(), takeDue()])).flat();
    expect(taken.filter((key) => keys.includes(key)).toSorted()).toEqual(keys.toSorted());
  });

  it('never forgets a deletion: not a failed one, not one whose sweeper crashed', async () => {
    const { storageKey } = await commit('stubborn');
    await release(storageKey);
    const key = { tenantId, storageKey };
    expect(await takeDue()).toContain(storageKey);
    await catalog.blobs.deferDeletion(key, 'the store is away');
    const deferred = await catalog.blobs.find(key);
    expect(deferred).toMatchObject({ status: 'deleting', attempts: 1, error: 'the store is away' });
    await makeDue(key);
    expect(await takeDue()).toContain(storageKey);
    // No answer from this sweeper: its time passes.
    await makeDue(key);
    expect(await takeDue()).toContain(storageKey);
    await catalog.blobs.removed(key);
    expect(await catalog.blobs.find(key)).toBeUndefined();
  });

  it('waits longer after each failed deletion, but never longer than ten minutes', async () => {
    const { storageKey } = await commit('backoff');
    await release(storageKey);
    await takeDue();
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const before = Date.now();
      await catalog.blobs.deferDeletion({ tenantId, storageKey }, 'no');
      const dueAt = (await catalog.blobs.find({ tenantId, storageKey }))?.dueAt;
      pauses.push(Math.round(((dueAt?.getTime() ?? 0) - before) / 1000));
    }
    expect(pauses.slice(0, 3)).toEqual([5, 10, 20]);
    expect(pauses.at(-1)).toBe(600);
  });

  it('knows every key there ever was bytes under, until they are gone', async () => {
    const { written, storageKey } = await commit('listed');
    const keys = await registeredKeys(catalog, { tenantId });
    expect(keys).toEqual(expect.arrayContaining([written.storageKey, storageKey]));
  });

  it('refuses keys outside the folder of their tenant', async () => {
    const other = await createTenant(catalog);
    const storageKey = `t/${other.tenantId}/stolen`;
    await expect(catalog.blobs.beginWriting({ tenantId, storageKey, leaseMs })).rejects.toThrow(/check constraint/);
  });

  async function makeDue({ storageKey }: BlobKey): Promise<void> {
    await catalog.transaction((tx) =>
      tx.query(`UPDATE blobs SET due_at = now() - interval '1 second' WHERE tenant_id = $1 AND storage_key = $2`, [
        tenantId,
        storageKey,
      ]),
    );
  }
});
