import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import type { Catalog } from '@millrace/catalog';
import {
  createDataset,
  createTenant,
  createUpload,
  openCatalog,
  type Owner,
  type TestCatalog,
  type TestTenant,
} from '@millrace/testing';

describe('uploads', () => {
  let opened: TestCatalog;
  let catalog: Catalog;
  let tenant: TestTenant;
  let member: Owner;

  beforeAll(async () => {
    opened = await openCatalog();
    catalog = opened.catalog;
  });
  beforeEach(async () => {
    tenant = await createTenant(catalog);
    member = tenant.member.principal;
  });
  afterAll(() => opened.stop());

  const blobOf = (storageKey: string | null) =>
    catalog.blobs.find({ tenantId: tenant.tenantId, storageKey: storageKey ?? '' });

  it('keep what was said about the file', async () => {
    const upload = await createUpload(catalog, member, { content: 'a,b' });
    expect(upload).toMatchObject({
      status: 'pending',
      sizeBytes: 3,
      contentType: 'text/csv',
      contentEncoding: null,
      fileName: 'a.csv',
      deduplicated: false,
      error: null,
      consumedAt: null,
      userId: member.userId,
    });
    expect(upload.expiresAt.getTime() - upload.createdAt.getTime()).toBe(24 * 60 * 60_000);
    expect(await catalog.uploads.get(tenant.tenantId, upload.id)).toEqual(upload);
    expect((await createUpload(catalog, member, { content: 'a,b' })).deduplicated).toBe(true);
  });

  it('are seen by whom the filter names', async () => {
    const { id } = await createUpload(catalog, member);
    const { tenantId } = tenant;
    const admin = tenant.admin.principal;
    await expect(catalog.uploads.get(tenantId, id, { userId: admin.userId })).rejects.toMatchObject({
      code: 'upload.not_found',
    });
    const theirs = await catalog.uploads.list(tenantId, { limit: 10, userId: admin.userId });
    const all = await catalog.uploads.list(tenantId, { limit: 10 });
    expect(theirs.items).toEqual([]);
    expect(all.items.map((upload) => upload.id)).toEqual([id]);
    await expect(catalog.uploads.delete(tenantId, id, { userId: admin.userId })).rejects.toMatchObject({
      code: 'upload.not_found',
    });
  });

  it('are paged without gaps or repetitions while others are inserted', async () => {
    const { tenantId } = tenant;
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.push((await createUpload(catalog, member)).id);
    const first = await catalog.uploads.list(tenantId, { limit: 2 });
    await createUpload(catalog, member);
    const second = await catalog.uploads.list(tenantId, { limit: 2, before: first.items[1]?.id });
    await createUpload(catalog, member);
    const third = await catalog.uploads.list(tenantId, { limit: 2, before: second.items[1]?.id });
    const pages = [first, second, third];
    expect(pages.flatMap((page) => page.items.map((upload) => upload.id))).toEqual(ids.toSorted().toReversed());
    expect(pages.map((page) => page.hasMore)).toEqual([true, true, false]);
  });

  it('are removed with their bytes, but not while they are in use', async () => {
    const { tenantId } = tenant;
    const upload = await createUpload(catalog, member);
    await catalog.uploads.delete(tenantId, upload.id);
    expect(await blobOf(upload.storageKey)).toMatchObject({ status: 'unreferenced', referenceCount: 0 });
    await expect(catalog.uploads.delete(tenantId, upload.id)).rejects.toMatchObject({ code: 'upload.not_found' });
    const used = await createUpload(catalog, member);
    await createDataset(catalog, member, { upload: used });
    await expect(catalog.uploads.delete(tenantId, used.id)).rejects.toMatchObject({ code: 'upload.in_use' });
  });

  it('expire when nobody used them in time, and not before', async () => {
    const { tenantId } = tenant;
    const due = await createUpload(catalog, member, { expiresInMs: -1 });
    const fresh = await createUpload(catalog, member);
    const expired = createDataset(catalog, member, { upload: due });
    await expect(expired).rejects.toMatchObject({ code: 'upload.expired' });
    expect(await catalog.uploads.expireDue()).toBe(1);
    expect(await catalog.uploads.get(tenantId, due.id)).toMatchObject({ status: 'expired', storageKey: null });
    expect(await blobOf(due.storageKey)).toMatchObject({ status: 'unreferenced' });
    expect(await catalog.uploads.get(tenantId, fresh.id)).toMatchObject({ status: 'pending' });
    const purge = (olderThanMs: number) => catalog.uploads.purgeEnded({ olderThanMs, limit: 1_000 });
    await purge(60_000);
    expect(await catalog.uploads.get(tenantId, due.id)).toMatchObject({ status: 'expired' });
    await purge(-60_000);
    await expect(catalog.uploads.get(tenantId, due.id)).rejects.toMatchObject({ code: 'upload.not_found' });
    expect(await catalog.uploads.get(tenantId, fresh.id)).toMatchObject({ status: 'pending' });
  });

  it('leave nothing half done when a commit fails', async () => {
    const { tenantId } = tenant;
    const blob = { storageKey: `t/${tenantId}/never/begun`, contentHash: 'a'.repeat(64), sizeBytes: 1 };
    const broken = catalog.uploads.commit({ tenantId, userId: newId('user'), blob, expiresInMs: 1_000 });
    await expect(broken).rejects.toBeDefined();
    expect((await catalog.uploads.list(tenantId, { limit: 10 })).items).toEqual([]);
  });
});
