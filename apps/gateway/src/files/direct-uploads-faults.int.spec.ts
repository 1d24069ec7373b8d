import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DomainError, type UploadId } from '@millrace/domain';
import { eventually, registeredKeys } from '@millrace/testing';
import { DirectUploadsHarness, PART_BYTES, sha256 } from '../../test/direct-uploads-harness.js';

describe('uploads straight to the store, when something fails', () => {
  let uploads: DirectUploadsHarness;

  beforeAll(async () => {
    uploads = await DirectUploadsHarness.start();
  });

  beforeEach(() => uploads.heal());

  afterAll(() => uploads.stop());

  it('are given to whoever was slower, even when the store lets them down', async () => {
    const begun = await uploads.presign({ size_bytes: 1000 });
    const content = randomBytes(1000);
    const parts = await uploads.send(begun, content);
    const { tenantId } = uploads.gateway.tenant;
    const id = begun.id as UploadId;
    const storageKey = String((await uploads.directOf(id))?.storageKey);
    const held = uploads.gateway.store.hold('get');
    const slower = uploads.complete(id, { parts });
    await held.arrived;
    // As another gateway does it.
    const blob = { storageKey, contentHash: sha256(content), sizeBytes: 1000 };
    await uploads.gateway.catalog.directUploads.commit({ tenantId, id, blob, expiresInMs: 60_000 });
    uploads.gateway.store.fail('get', { times: 1 });
    held.release();
    expect(await slower).toMatchObject({ id, status: 'pending', content_hash: `sha-256:${sha256(content)}` });
  });

  it('go on after a gateway that died between the store and the catalog', async () => {
    const begun = await uploads.presign();
    const parts = await uploads.send(begun);
    uploads.gateway.store.fail('get', {
      times: 1,
      error: () => new DomainError('storage.unavailable', 'The process ended.'),
    });
    await expect(uploads.complete(begun.id, { parts })).resolves.toMatchObject({ status: 503 });
    expect(await uploads.store.find(String((await uploads.directOf(begun.id))?.storageKey))).toBeDefined();
    expect(await uploads.rowOf(begun.id)).toMatchObject({ status: 'uploading' });
    expect(await uploads.complete(begun.id, { parts })).toMatchObject({ status: 'pending' });
  });

  it('go on after an answer of the store that was lost', async () => {
    const begun = await uploads.presign();
    const parts = await uploads.send(begun);
    uploads.proxy.fail({ kind: 'lose' }, { of: 'CompleteMultipartUpload', times: 1 });
    expect(await uploads.complete(begun.id, { parts })).toMatchObject({ status: 'pending' });
  });

  it.each([
    { when: 'in time', isPutTogether: false },
    { when: 'after the gateway died', isPutTogether: true },
  ])('are gone when nobody completed them $when: the upload, its bytes and its key', async ({ isPutTogether }) => {
    const begun = await uploads.presign();
    const parts = await uploads.send(begun);
    const { tenantId } = uploads.gateway.tenant;
    const id = begun.id as UploadId;
    const storageKey = String((await uploads.directOf(id))?.storageKey);
    if (isPutTogether) {
      uploads.gateway.store.fail('get', { times: 1 });
      await expect(uploads.complete(id, { parts })).resolves.toMatchObject({ status: 503 });
      expect(await uploads.store.find(storageKey)).toBeDefined();
    }
    await uploads.gateway.catalog.directUploads.slide({ tenantId, id, leaseMs: -1 });
    await expect(uploads.complete(id, { parts })).resolves.toMatchObject({
      status: 400,
      code: 'upload.expired',
    });
    expect(await uploads.gateway.catalog.uploads.expireDue()).toBe(1);
    expect(await uploads.rowOf(id)).toMatchObject({ status: 'expired', contentHash: null });
    const due = await uploads.gateway.catalog.blobs.takeDue({ limit: 100 });
    expect(due).toContainEqual({ tenantId, storageKey });
    for (const blob of due) {
      await uploads.store.delete(blob.storageKey);
      await uploads.gateway.catalog.blobs.removed(blob);
    }
    const listed: string[] = [];
    for await (const { key } of uploads.store.list(storageKey)) listed.push(key);
    expect(listed).toEqual([]);
    for (const path of ['complete', 'parts']) {
      const json = path === 'parts' ? { part_numbers: [1] } : { parts: [{ part_number: 1, etag: 'x' }] };
      await expect(uploads.post(`/v1/files/${id}/${path}`, json)).resolves.toMatchObject({ code: 'upload.expired' });
    }
    expect(
      (await fetch(String(begun.parts[0]?.url), { method: 'PUT', body: uploads.bytes.subarray(0, PART_BYTES) })).status,
    ).toBe(404);
  });

  it('leave nothing behind when the store does not answer', async () => {
    const { tenantId } = uploads.gateway.tenant;
    const newest = async () => (await uploads.gateway.catalog.uploads.list(tenantId, { limit: 1 })).items[0]?.id;
    const before = await newest();
    uploads.proxy.deny('CreateMultipartUpload');
    await expect(uploads.presign()).resolves.toMatchObject({ status: 503, code: 'storage.unavailable' });
    expect(await newest()).toBe(before);
    const keys = await registeredKeys(uploads.gateway.catalog);
    const blobs = await Promise.all(
      keys.map((storageKey) => uploads.gateway.catalog.blobs.find({ tenantId, storageKey })),
    );
    const sending = await uploads.gateway.catalog.uploads.list(tenantId, { limit: 100, status: 'uploading' });
    expect(blobs.filter((blob) => blob?.status === 'writing')).toHaveLength(sending.items.length);
  });
});

describe('uploads straight to the store, whose lease is short', () => {
  // Long enough for a machine that is busy to be heard of three times.
  const leaseMs = 3_000;
  let uploads: DirectUploadsHarness;

  beforeAll(async () => {
    uploads = await DirectUploadsHarness.start({ PRESIGNED_URL_MS: String(leaseMs) });
  });

  afterAll(() => uploads.stop());

  it('live on as long as they are verified', async () => {
    const begun = await uploads.presign({ size_bytes: 1000 });
    const parts = await uploads.send(begun, randomBytes(1000));
    const held = uploads.gateway.store.hold('get');
    const completing = uploads.complete(begun.id, { parts });
    await held.arrived;
    const firstEnd = Date.now() + 2 * leaseMs;
    await eventually('its first leases are over', async () => {
      await uploads.gateway.catalog.uploads.expireDue();
      return Date.now() > firstEnd;
    });
    held.release();
    await expect(completing).resolves.toMatchObject({ status: 'pending' });
  });
});
