import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PresignedUploadBody, SignedPartsBody, UploadBody } from '@millrace/contract';
import type { UploadId } from '@millrace/domain';
import { createDataset, createTenant } from '@millrace/testing';
import { DirectUploadsHarness, PART_BYTES, sha256, type Part } from '../../test/direct-uploads-harness.js';
import { startTestGateway, type GatewayUnderTest } from '../../test/gateway-harness.js';

/** More than the parts of one answer. */
const BYTES_MAX = 102 * PART_BYTES;

describe('uploads straight to the store', () => {
  let uploads: DirectUploadsHarness;

  beforeAll(async () => {
    uploads = await DirectUploadsHarness.start({ UPLOAD_BYTES_MAX: String(BYTES_MAX) });
  });

  afterAll(() => uploads.stop());

  it('are begun, sent without a key, completed, and then like any other', async () => {
    const answer = await uploads.gateway.send('POST', '/v1/files/presign', {
      json: {
        size_bytes: uploads.bytes.byteLength,
        content_type: 'text/csv',
        filename: 'a/b.csv',
        content_encoding: 'gzip',
      },
    });
    const begun = (await answer.json()) as PresignedUploadBody;
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`/v1/files/${begun.id}`);
    expect(begun).toMatchObject({
      status: 'uploading',
      size_bytes: uploads.bytes.byteLength,
      content_type: 'text/csv',
      content_encoding: 'gzip',
      content_hash: null,
      file_name: 'b.csv',
      part_size_bytes: PART_BYTES,
      part_count: 2,
      parts: [
        { part_number: 1, size_bytes: PART_BYTES },
        { part_number: 2, size_bytes: 1000 },
      ],
    });
    const parts = await uploads.send(begun);
    await expect((await uploads.gateway.send('GET', `/v1/files/${begun.id}`)).json()).resolves.toMatchObject({
      status: 'uploading',
    });
    const done = await uploads.complete(begun.id, { parts, sha256: sha256(uploads.bytes).toUpperCase() });
    expect(done).toMatchObject({ id: begun.id, status: 'pending', content_hash: `sha-256:${sha256(uploads.bytes)}` });
    expect(Date.parse(done.expires_at)).toBeGreaterThan(Date.now() + 23 * 60 * 60_000);
    const { storageKey } = await uploads.rowOf(begun.id);
    expect(await uploads.store.find(String(storageKey))).toMatchObject({ sizeBytes: uploads.bytes.byteLength });
    expect(await uploads.directOf(begun.id)).toBeUndefined();
  });

  it('share the bytes of an upload that the tenant has already', async () => {
    const content = randomBytes(1000);
    const whole = (await (await uploads.gateway.send('POST', '/v1/files', { body: content })).json()) as UploadBody;
    const begun = await uploads.presign({ size_bytes: 1000 });
    const key = String((await uploads.directOf(begun.id))?.storageKey);
    const done = await uploads.complete(begun.id, { parts: await uploads.send(begun, content) });
    expect(done).toMatchObject({ status: 'pending', deduplicated: true });
    expect((await uploads.rowOf(begun.id)).storageKey).toBe((await uploads.rowOf(whole.id)).storageKey);
    const { tenantId } = uploads.gateway.tenant;
    expect(await uploads.gateway.catalog.blobs.find({ tenantId, storageKey: key })).toMatchObject({
      status: 'deleting',
    });
  });

  it('take no part of another length, so that nobody stores what was not announced', async () => {
    const begun = await uploads.presign();
    const [first] = begun.parts;
    const answer = await fetch(String(first?.url), { method: 'PUT', body: uploads.bytes.subarray(0, PART_BYTES - 1) });
    expect(answer.status).toBe(403);
  });

  it('give fresh addresses, and live on with them', async () => {
    const begun = await uploads.presign();
    await uploads.gateway.catalog.directUploads.slide({
      ...{ tenantId: uploads.gateway.tenant.tenantId, id: begun.id as UploadId },
      leaseMs: 60_000,
    });
    const signed = await uploads.post<SignedPartsBody>(`/v1/files/${begun.id}/parts`, { part_numbers: [2, 1, 2] });
    expect(signed.parts.map((part) => part.part_number)).toEqual([2, 1]);
    expect(Date.parse(signed.expires_at)).toBeGreaterThan(Date.now() + 50 * 60_000);
    const blob = await uploads.gateway.catalog.blobs.find({
      tenantId: uploads.gateway.tenant.tenantId,
      storageKey: String((await uploads.directOf(begun.id))?.storageKey),
    });
    expect(blob).toMatchObject({ status: 'writing', dueAt: new Date(signed.expires_at) });
    const parts = await uploads.send({ ...begun, parts: signed.parts.toReversed() });
    expect(await uploads.complete(begun.id, { parts })).toMatchObject({ status: 'pending' });
  });

  it('answer the same when they are completed again, and whatever happened since', async () => {
    const begun = await uploads.presign({ size_bytes: 1000 });
    const parts = await uploads.send(begun, randomBytes(1000));
    const first = await uploads.complete(begun.id, { parts });
    expect(await uploads.complete(begun.id, { parts })).toEqual(first);
    expect(await uploads.complete(begun.id, { parts: [{ part_number: 7, etag: 'forgotten' }] })).toEqual(first);
    await createDataset(uploads.gateway.catalog, uploads.gateway.tenant.admin.principal, {
      upload: await uploads.rowOf(begun.id),
    });
    expect(await uploads.complete(begun.id, { parts })).toMatchObject({ id: begun.id, status: 'processing' });
    await expect(uploads.complete(begun.id, { parts, sha256: 'a'.repeat(64) })).resolves.toMatchObject({
      status: 422,
      code: 'upload.digest_mismatch',
    });
    await expect(uploads.post(`/v1/files/${begun.id}/parts`, { part_numbers: [1] })).resolves.toMatchObject({
      status: 409,
      code: 'upload.complete',
    });
  });

  it('are completed once by who completes at the same time', async () => {
    const begun = await uploads.presign();
    const parts = await uploads.send(begun);
    const answers = await Promise.all(Array.from({ length: 4 }, () => uploads.complete(begun.id, { parts })));
    for (const answer of answers) expect(answer).toMatchObject({ id: begun.id, status: 'pending' });
    const { tenantId } = uploads.gateway.tenant;
    const { storageKey } = await uploads.rowOf(begun.id);
    const { items } = await uploads.gateway.catalog.uploads.list(tenantId, { limit: 100 });
    const shared = items.filter((upload) => upload.storageKey === storageKey).length;
    expect(await uploads.gateway.catalog.blobs.find({ tenantId, storageKey: String(storageKey) })).toMatchObject({
      status: 'live',
      referenceCount: shared,
    });
  });

  it.each([
    ['a part is missing', (parts: Part[]) => parts.slice(0, 1)],
    ['an etag is another one', (parts: Part[]) => parts.map((part) => ({ ...part, etag: 'x'.repeat(32) }))],
    ['the numbers do not rise', (parts: Part[]) => parts.toReversed()],
    ['a part was never sent', (parts: Part[]) => [...parts, { part_number: 3, etag: 'x' }]],
  ])('are left as they are when %s', async (_, spoil) => {
    const begun = await uploads.presign();
    const parts = await uploads.send(begun);
    await expect(uploads.complete(begun.id, { parts: spoil(parts) })).resolves.toMatchObject({
      status: 422,
      code: 'upload.parts_invalid',
    });
    expect(await uploads.complete(begun.id, { parts })).toMatchObject({ status: 'pending' });
  });

  it.each(['at the beginning', 'at the end'])('keep nothing when the hash that was said %s is wrong', async (when) => {
    const wrong = { sha256: sha256(Buffer.from('something else')) };
    const begun = await uploads.presign({ size_bytes: 1000, ...(when === 'at the beginning' && wrong) });
    const storageKey = String((await uploads.directOf(begun.id))?.storageKey);
    const parts = await uploads.send(begun, randomBytes(1000));
    await expect(uploads.complete(begun.id, { parts, ...(when === 'at the end' && wrong) })).resolves.toMatchObject({
      status: 422,
      code: 'upload.digest_mismatch',
    });
    const { tenantId } = uploads.gateway.tenant;
    expect(await uploads.gateway.catalog.blobs.find({ tenantId, storageKey })).toMatchObject({ status: 'deleting' });
    await expect(uploads.complete(begun.id, { parts })).resolves.toMatchObject({
      status: 404,
      code: 'upload.not_found',
    });
  });

  it('can be deleted while they are sent, and not be used', async () => {
    const begun = await uploads.presign();
    const storageKey = String((await uploads.directOf(begun.id))?.storageKey);
    const source = { label: 'x', source: { upload_id: begun.id } };
    await expect(uploads.post('/v1/datasets', source)).resolves.toMatchObject({
      status: 409,
      code: 'upload.uploading',
    });
    expect((await uploads.gateway.send('DELETE', `/v1/files/${begun.id}`)).status).toBe(204);
    const { tenantId } = uploads.gateway.tenant;
    expect(await uploads.gateway.catalog.blobs.find({ tenantId, storageKey })).toMatchObject({ status: 'deleting' });
  });

  it('are refused beyond the limit', async () => {
    await expect(uploads.presign({ size_bytes: BYTES_MAX + 1 })).resolves.toMatchObject({
      status: 413,
      code: 'upload.too_large',
    });
  });

  it.each([{ size_bytes: 0 }, { size_bytes: 1.5 }, { sha256: 'abc' }, { content_encoding: 'br' }, { extra: 1 }])(
    'are refused when the request is not right: %j',
    async (request) => {
      await expect(uploads.presign(request)).resolves.toMatchObject({ status: 400, code: 'request.invalid' });
    },
  );

  it('have addresses for a hundred parts at a time', async () => {
    const begun = await uploads.presign({ size_bytes: 101 * PART_BYTES });
    expect(begun).toMatchObject({ part_count: 101 });
    expect(begun.parts.map((part) => part.part_number)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    const rest = await uploads.post<SignedPartsBody>(`/v1/files/${begun.id}/parts`, { part_numbers: [101] });
    expect(rest.parts).toMatchObject([{ part_number: 101, size_bytes: PART_BYTES }]);
    const all = Array.from({ length: 101 }, (_, index) => index + 1);
    await expect(uploads.post(`/v1/files/${begun.id}/parts`, { part_numbers: all })).resolves.toMatchObject({
      status: 400,
    });
  });

  it('may name as many parts as a store takes', async () => {
    const begun = await uploads.presign();
    const parts = Array.from({ length: 10_000 }, (_, index) => ({
      part_number: index + 1,
      etag: `"${'e'.repeat(36)}"`,
    }));
    await expect(uploads.complete(begun.id, { parts })).resolves.toMatchObject({
      status: 422,
      code: 'upload.parts_invalid',
    });
  });

  it('have no more parts than the file', async () => {
    const begun = await uploads.presign();
    await expect(uploads.post(`/v1/files/${begun.id}/parts`, { part_numbers: [3] })).resolves.toMatchObject({
      status: 400,
      code: 'request.invalid',
    });
  });

  it('of another tenant, or another member, do not exist', async () => {
    const begun = await uploads.presign();
    const parts = await uploads.send(begun);
    const strangers = [
      (await createTenant(uploads.gateway.catalog)).admin.apiKey,
      uploads.gateway.tenant.member.apiKey,
    ];
    for (const apiKey of strangers) {
      const unknown = { status: 404, code: 'upload.not_found' };
      await expect(uploads.complete(begun.id, { parts }, { apiKey })).resolves.toMatchObject(unknown);
      const signing = uploads.post(`/v1/files/${begun.id}/parts`, { part_numbers: [1] }, { apiKey });
      await expect(signing).resolves.toMatchObject(unknown);
    }
    expect(await uploads.complete(begun.id, { parts })).toMatchObject({ status: 'pending' });
  });

  it('are announced by the configuration', async () => {
    await expect((await uploads.gateway.send('GET', '/v1/config')).json()).resolves.toMatchObject({
      features: { presigned_uploads: true },
    });
  });
});

describe('uploads straight to a folder', () => {
  let gateway: GatewayUnderTest;

  beforeAll(async () => {
    gateway = await startTestGateway();
  });

  afterAll(() => gateway.stop());

  it.each([
    ['presign', { size_bytes: 1 }],
    ['{id}/parts', { part_numbers: [1] }],
    ['{id}/complete', { parts: [{ part_number: 1, etag: 'x' }] }],
  ])('are not possible, which %s says', async (path, json) => {
    const { id } = (await (await gateway.send('POST', '/v1/files', { body: 'a' })).json()) as { id: string };
    const answer = await gateway.send('POST', `/v1/files/${path.replace('{id}', id)}`, { json });
    await expect(answer.json()).resolves.toMatchObject({ status: 409, code: 'upload.direct_unsupported' });
  });

  it('are announced as such', async () => {
    await expect((await gateway.send('GET', '/v1/config')).json()).resolves.toMatchObject({
      features: { presigned_uploads: false },
    });
  });
});
