import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Catalog } from '@millrace/catalog';
import { newId, type UploadId } from '@millrace/domain';
import { createTenant, openCatalog, type Owner, type TestCatalog, writeBlob } from '@millrace/testing';

const expiresInMs = 60_000;

describe('an upload in pieces', () => {
  let opened: TestCatalog;
  let catalog: Catalog;
  let owner: Owner;

  beforeAll(async () => {
    opened = await openCatalog();
    catalog = opened.catalog;
  });
  beforeEach(async () => {
    owner = (await createTenant(catalog)).member.principal;
  });
  afterAll(() => opened.stop());

  const begin = async (): Promise<UploadId> => {
    const id = newId('upload');
    const { tenantId, userId } = owner;
    await catalog.resumableUploads.begin({ tenantId, userId, id, sizeBytes: 6, metadata: '', expiresInMs });
    return id;
  };
  const append = async (id: UploadId, startByte: number, content: string) => {
    const { tenantId } = owner;
    const blob = await writeBlob(catalog, tenantId, { content });
    return catalog.resumableUploads.append({ tenantId, id, startByte, blob, expiresInMs });
  };
  const receivedBytesOf = async (id: UploadId) => (await catalog.resumableUploads.get({ ...owner, id })).receivedBytes;

  it('takes no piece that does not begin where the one before ended', async () => {
    const id = await begin();
    await append(id, 0, 'abc');
    for (const startByte of [0, 2, 4]) {
      await expect(append(id, startByte, 'def')).rejects.toMatchObject({ code: 'upload.offset_mismatch' });
    }
    expect(await receivedBytesOf(id)).toBe(3);
  });

  it('takes one of two pieces that come to the same place at once', async () => {
    const id = await begin();
    const outcomes = await Promise.allSettled([append(id, 0, 'abc'), append(id, 0, 'def')]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await receivedBytesOf(id)).toBe(3);
  });
});
