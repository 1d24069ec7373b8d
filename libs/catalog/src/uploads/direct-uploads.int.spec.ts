import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Catalog, Upload } from '@millrace/catalog';
import { createTenant, createUpload, openCatalog, type Owner, type TestCatalog } from '@millrace/testing';

const leaseMs = 60_000;

describe('uploads straight to the store', () => {
  let opened: TestCatalog;
  let catalog: Catalog;
  let member: Owner;

  beforeAll(async () => {
    opened = await openCatalog();
    catalog = opened.catalog;
  });
  beforeEach(async () => {
    member = (await createTenant(catalog)).member.principal;
  });
  afterAll(() => opened.stop());

  const begin = async (lease = leaseMs): Promise<Upload & { readonly key: string }> => {
    const { tenantId, userId } = member;
    const storageKey = `t/${tenantId}/uploads/${randomBytes(16).toString('hex')}`;
    await catalog.blobs.beginWriting({ tenantId, storageKey, leaseMs: lease });
    const upload = await catalog.directUploads.begin({
      ...{ tenantId, userId, storageKey },
      ...{ storeUploadId: 'one', sizeBytes: 10, partSizeBytes: 5, leaseMs: lease },
    });
    return { ...upload, key: storageKey };
  };
  const blobOf = ({ key }: { readonly key: string }, contentHash = 'a'.repeat(64)) => ({
    storageKey: key,
    contentHash,
    sizeBytes: 10,
  });
  const stateOf = (storageKey: string) => catalog.blobs.find({ tenantId: member.tenantId, storageKey });

  it('have no hash and no reference before they are complete', async () => {
    const { key, ...upload } = await begin();
    expect(upload).toMatchObject({ status: 'uploading', contentHash: null, storageKey: null, sizeBytes: 10 });
    expect(await catalog.directUploads.find(upload)).toEqual({
      storageKey: key,
      storeUploadId: 'one',
      partSizeBytes: 5,
      expectedHash: null,
    });
    expect(await stateOf(key)).toMatchObject({ status: 'writing' });
  });

  it('slide with the key of their bytes, and only while they are sent', async () => {
    const upload = await begin();
    const slid = await catalog.directUploads.slide({ ...upload, leaseMs: 2 * leaseMs });
    expect(slid.expiresAt.getTime()).toBeGreaterThan(upload.expiresAt.getTime());
    expect((await stateOf(upload.key))?.dueAt).toEqual(slid.expiresAt);
    const { tenantId, id } = await createUpload(catalog, member);
    await expect(catalog.directUploads.slide({ tenantId, id, leaseMs })).rejects.toMatchObject({
      code: 'upload.complete',
    });
    const late = await begin(-1);
    await expect(catalog.directUploads.slide({ ...late, leaseMs })).rejects.toMatchObject({ code: 'upload.expired' });
  });

  it('do not slide when the sweeper was faster with the key', async () => {
    const upload = await begin();
    await catalog.blobs.abandonWriting({ tenantId: member.tenantId, storageKey: upload.key });
    await expect(catalog.directUploads.slide({ ...upload, leaseMs })).rejects.toMatchObject({ code: 'upload.expired' });
    await expect(
      catalog.directUploads.commit({ ...upload, blob: blobOf(upload), expiresInMs: 1 }),
    ).rejects.toMatchObject({ code: 'service.unavailable' });
    expect(await catalog.uploads.get(member.tenantId, upload.id)).toMatchObject({ status: 'uploading' });
  });

  it('become uploads like others, once', async () => {
    const upload = await begin();
    const commit = () => catalog.directUploads.commit({ ...upload, blob: blobOf(upload), expiresInMs: leaseMs });
    const [one, two] = await Promise.all([commit(), commit()]);
    expect(one).toMatchObject({ status: 'pending', storageKey: upload.key, contentHash: 'a'.repeat(64) });
    expect(two).toEqual(one);
    expect(await stateOf(upload.key)).toMatchObject({ status: 'live', referenceCount: 1 });
    expect(await catalog.directUploads.find(upload)).toBeUndefined();
  });

  it('refer to the bytes that the tenant has already', async () => {
    const [first, second] = [await begin(), await begin()];
    for (const upload of [first, second]) {
      await catalog.directUploads.commit({ ...upload, blob: blobOf(upload), expiresInMs: leaseMs });
    }
    expect(await catalog.uploads.get(member.tenantId, second.id)).toMatchObject({
      deduplicated: true,
      storageKey: first.key,
    });
    expect(await stateOf(second.key)).toMatchObject({ status: 'deleting' });
  });

  it('expire with their bytes', async () => {
    const [due, fresh] = [await begin(-1), await begin()];
    expect(await catalog.uploads.expireDue()).toBeGreaterThanOrEqual(1);
    expect(await catalog.uploads.get(member.tenantId, due.id)).toMatchObject({ status: 'expired', contentHash: null });
    expect(await stateOf(due.key)).toMatchObject({ status: 'deleting' });
    expect(await catalog.directUploads.find(due)).toBeUndefined();
    expect(await catalog.uploads.get(member.tenantId, fresh.id)).toMatchObject({ status: 'uploading' });
    await expect(catalog.directUploads.commit({ ...due, blob: blobOf(due), expiresInMs: 1 })).rejects.toMatchObject({
      code: 'upload.expired',
    });
  });

  it('expire also when their key was struck from the register before', async () => {
    const due = await begin(-1);
    expect(await catalog.blobs.takeDue({ limit: 1_000 })).toContainEqual({
      tenantId: member.tenantId,
      storageKey: due.key,
    });
    await catalog.blobs.removed({ tenantId: member.tenantId, storageKey: due.key });
    await catalog.uploads.expireDue();
    expect(await catalog.uploads.get(member.tenantId, due.id)).toMatchObject({ status: 'expired' });
  });

  it('are given up with their bytes, but only while they are sent', async () => {
    const [sent, complete] = [await begin(), await begin()];
    await catalog.directUploads.commit({ ...complete, blob: blobOf(complete, 'b'.repeat(64)), expiresInMs: leaseMs });
    for (const upload of [sent, complete]) await catalog.directUploads.discard(upload);
    await expect(catalog.uploads.get(member.tenantId, sent.id)).rejects.toMatchObject({ code: 'upload.not_found' });
    expect(await stateOf(sent.key)).toMatchObject({ status: 'deleting' });
    expect(await catalog.uploads.get(member.tenantId, complete.id)).toMatchObject({ status: 'pending' });
  });

  it('are removed with their bytes', async () => {
    const upload = await begin();
    await catalog.uploads.delete(member.tenantId, upload.id);
    expect(await stateOf(upload.key)).toMatchObject({ status: 'deleting' });
    expect(await catalog.directUploads.find(upload)).toBeUndefined();
  });

  it('of another tenant, or user, are not found', async () => {
    const upload = await begin();
    const other = await createTenant(catalog);
    const { id } = upload;
    const slide = { id, leaseMs, code: 'upload.not_found' };
    for (const key of [
      { tenantId: other.tenantId },
      { tenantId: member.tenantId, userId: other.admin.principal.userId },
    ]) {
      await expect(catalog.directUploads.slide({ ...slide, ...key })).rejects.toMatchObject({ code: slide.code });
    }
    expect(await catalog.directUploads.find({ tenantId: other.tenantId, id })).toBeUndefined();
    await catalog.directUploads.discard({ tenantId: other.tenantId, id });
    expect(await catalog.uploads.get(member.tenantId, id)).toMatchObject({ status: 'uploading' });
  });
});
