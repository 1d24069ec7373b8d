import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { PresignedUploadBody, SignedPartsBody, UploadBody } from '@millrace/contract';
import { DomainError, type UploadId } from '@millrace/domain';
import { S3ObjectStore } from '@millrace/object-store';
import {
  createDataset,
  createTenant,
  eventually,
  registeredKeys,
  S3Proxy,
  startS3,
  type TestS3,
} from '@millrace/testing';
import { startTestGateway, type GatewayUnderTest, type SendOptions } from '../../test/gateway-harness.js';

const MiB = 1024 * 1024;
const PART_BYTES = 16 * MiB;
/** More than the parts of one answer. */
const BYTES_MAX = 102 * PART_BYTES;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('uploads straight to the store', () => {
  let s3: TestS3;
  let proxy: S3Proxy;
  let store: S3ObjectStore;
  let gateway: GatewayUnderTest;
  const bytes = randomBytes(PART_BYTES + 1000);

  beforeAll(async () => {
    s3 = await startS3();
    proxy = await S3Proxy.start(s3.endpoint);
    store = new S3ObjectStore({ ...s3, endpoint: proxy.endpoint });
    gateway = await startTestGateway({ UPLOAD_BYTES_MAX: String(BYTES_MAX) }, undefined, {
      store,
      directUploads: store.directUploads,
    });
  });

  beforeEach(() => {
    proxy.heal();
    gateway.store.heal();
  });

  afterAll(async () => {
    await gateway.stop();
    store.close();
    await proxy.stop();
    await s3.stop();
  });

  const post = async <T>(path: string, json: unknown, options: SendOptions = {}): Promise<T & { status: unknown }> =>
    (await (await gateway.send('POST', path, { json, ...options })).json()) as T & { status: unknown };
  const presign = (request: object = {}, options?: SendOptions): Promise<PresignedUploadBody> =>
    post<PresignedUploadBody>('/v1/files/presign', { size_bytes: bytes.byteLength, ...request }, options) as never;
  const complete = (id: string, request: object, options?: SendOptions) =>
    post<UploadBody & { code?: string }>(`/v1/files/${id}/complete`, request, options);
  const rowOf = (id: string) => gateway.catalog.uploads.get(gateway.tenant.tenantId, id as UploadId);
  const directOf = (id: string) =>
    gateway.catalog.directUploads.find({ tenantId: gateway.tenant.tenantId, id: id as UploadId });

  /** Sends the parts as a client would, which has nothing but the addresses. */
  const send = async (
    upload: Pick<PresignedUploadBody, 'parts' | 'part_size_bytes'>,
    content = bytes,
  ): Promise<{ part_number: number; etag: string }[]> =>
    Promise.all(
      upload.parts.map(async ({ part_number: number, url }) => {
        const start = (number - 1) * upload.part_size_bytes;
        const body = content.subarray(start, start + upload.part_size_bytes);
        const answer = await fetch(url, { method: 'PUT', body });
        expect(answer.status).toBe(200);
        return { part_number: number, etag: answer.headers.get('etag') ?? '' };
      }),
    );

  it('are begun, sent without a key, completed, and then like any other', async () => {
    const answer = await gateway.send('POST', '/v1/files/presign', {
      json: { size_bytes: bytes.byteLength, content_type: 'text/csv', filename: 'a/b.csv', content_encoding: 'gzip' },
    });
    const begun = (await answer.json()) as PresignedUploadBody;
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`/v1/files/${begun.id}`);
    expect(begun).toMatchObject({
      status: 'uploading',
      size_bytes: bytes.byteLength,
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
    const parts = await send(begun);
    await expect((await gateway.send('GET', `/v1/files/${begun.id}`)).json()).resolves.toMatchObject({
      status: 'uploading',
    });
    const done = await complete(begun.id, { parts, sha256: sha256(bytes).toUpperCase() });
    expect(done).toMatchObject({ id: begun.id, status: 'pending', content_hash: `sha-256:${sha256(bytes)}` });
    expect(Date.parse(done.expires_at)).toBeGreaterThan(Date.now() + 23 * 60 * 60_000);
    const { storageKey } = await rowOf(begun.id);
    expect(await store.find(String(storageKey))).toMatchObject({ sizeBytes: bytes.byteLength });
    expect(await directOf(begun.id)).toBeUndefined();
  });

  it('share the bytes of an upload that the tenant has already', async () => {
    const content = randomBytes(1000);
    const whole = (await (await gateway.send('POST', '/v1/files', { body: content })).json()) as UploadBody;
    const begun = await presign({ size_bytes: 1000 });
    const key = String((await directOf(begun.id))?.storageKey);
    const done = await complete(begun.id, { parts: await send(begun, content) });
    expect(done).toMatchObject({ status: 'pending', deduplicated: true });
    expect((await rowOf(begun.id)).storageKey).toBe((await rowOf(whole.id)).storageKey);
    const { tenantId } = gateway.tenant;
    expect(await gateway.catalog.blobs.find({ tenantId, storageKey: key })).toMatchObject({ status: 'deleting' });
  });

  it('take no part of another length, so that nobody stores what was not announced', async () => {
    const begun = await presign();
    const [first] = begun.parts;
    const answer = await fetch(String(first?.url), { method: 'PUT', body: bytes.subarray(0, PART_BYTES - 1) });
    expect(answer.status).toBe(403);
  });

  it('give fresh addresses, and live on with them', async () => {
    const begun = await presign();
    await gateway.catalog.directUploads.slide({
      ...{ tenantId: gateway.tenant.tenantId, id: begun.id as UploadId },
      leaseMs: 60_000,
    });
    const signed = await post<SignedPartsBody>(`/v1/files/${begun.id}/parts`, { part_numbers: [2, 1, 2] });
    expect(signed.parts.map((part) => part.part_number)).toEqual([2, 1]);
    expect(Date.parse(signed.expires_at)).toBeGreaterThan(Date.now() + 50 * 60_000);
    const blob = await gateway.catalog.blobs.find({
      tenantId: gateway.tenant.tenantId,
      storageKey: String((await directOf(begun.id))?.storageKey),
    });
    expect(blob).toMatchObject({ status: 'writing', dueAt: new Date(signed.expires_at) });
    const parts = await send({ ...begun, parts: signed.parts.toReversed() });
    expect(await complete(begun.id, { parts })).toMatchObject({ status: 'pending' });
  });

  it('answer the same when they are completed again, and whatever happened since', async () => {
    const begun = await presign({ size_bytes: 1000 });
    const parts = await send(begun, randomBytes(1000));
    const first = await complete(begun.id, { parts });
    expect(await complete(begun.id, { parts })).toEqual(first);
    expect(await complete(begun.id, { parts: [{ part_number: 7, etag: 'forgotten' }] })).toEqual(first);
    await createDataset(gateway.catalog, gateway.tenant.admin.principal, { upload: await rowOf(begun.id) });
    expect(await complete(begun.id, { parts })).toMatchObject({ id: begun.id, status: 'processing' });
    await expect(complete(begun.id, { parts, sha256: 'a'.repeat(64) })).resolves.toMatchObject({
      status: 422,
      code: 'upload.digest_mismatch',
    });
    await expect(post(`/v1/files/${begun.id}/parts`, { part_numbers: [1] })).resolves.toMatchObject({
      status: 409,
      code: 'upload.complete',
    });
  });

  it('are completed once by who completes at the same time', async () => {
    const begun = await presign();
    const parts = await send(begun);
    const answers = await Promise.all(Array.from({ length: 4 }, () => complete(begun.id, { parts })));
    for (const answer of answers) expect(answer).toMatchObject({ id: begun.id, status: 'pending' });
    const { tenantId } = gateway.tenant;
    const { storageKey } = await rowOf(begun.id);
    const uploads = await gateway.catalog.uploads.list(tenantId, { limit: 100 });
    const shared = uploads.items.filter((upload) => upload.storageKey === storageKey).length;
    expect(await gateway.catalog.blobs.find({ tenantId, storageKey: String(storageKey) })).toMatchObject({
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
    const begun = await presign();
    const parts = await send(begun);
    await expect(complete(begun.id, { parts: spoil(parts) })).resolves.toMatchObject({
      status: 422,
      code: 'upload.parts_invalid',
    });
    expect(await complete(begun.id, { parts })).toMatchObject({ status: 'pending' });
  });

  it.each(['at the beginning', 'at the end'])('keep nothing when the hash that was said %s is wrong', async (when) => {
    const wrong = { sha256: sha256(Buffer.from('something else')) };
    const begun = await presign({ size_bytes: 1000, ...(when === 'at the beginning' && wrong) });
    const storageKey = String((await directOf(begun.id))?.storageKey);
    const parts = await send(begun, randomBytes(1000));
    await expect(complete(begun.id, { parts, ...(when === 'at the end' && wrong) })).resolves.toMatchObject({
      status: 422,
      code: 'upload.digest_mismatch',
    });
    const { tenantId } = gateway.tenant;
    expect(await gateway.catalog.blobs.find({ tenantId, storageKey })).toMatchObject({ status: 'deleting' });
    await expect(complete(begun.id, { parts })).resolves.toMatchObject({ status: 404, code: 'upload.not_found' });
  });

  it('are given to whoever was slower, even when the store lets them down', async () => {
    const begun = await presign({ size_bytes: 1000 });
    const content = randomBytes(1000);
    const parts = await send(begun, content);
    const { tenantId } = gateway.tenant;
    const id = begun.id as UploadId;
    const storageKey = String((await directOf(id))?.storageKey);
    const held = gateway.store.hold('get');
    const slower = complete(id, { parts });
    await held.arrived;
    // As another gateway does it.
    const blob = { storageKey, contentHash: sha256(content), sizeBytes: 1000 };
    await gateway.catalog.directUploads.commit({ tenantId, id, blob, expiresInMs: 60_000 });
    gateway.store.fail('get', { times: 1 });
    held.release();
    expect(await slower).toMatchObject({ id, status: 'pending', content_hash: `sha-256:${sha256(content)}` });
  });

  it('go on after a gateway that died between the store and the catalog', async () => {
    const begun = await presign();
    const parts = await send(begun);
    gateway.store.fail('get', { times: 1, error: () => new DomainError('storage.unavailable', 'The process ended.') });
    await expect(complete(begun.id, { parts })).resolves.toMatchObject({ status: 503 });
    expect(await store.find(String((await directOf(begun.id))?.storageKey))).toBeDefined();
    expect(await rowOf(begun.id)).toMatchObject({ status: 'uploading' });
    expect(await complete(begun.id, { parts })).toMatchObject({ status: 'pending' });
  });

  it('go on after an answer of the store that was lost', async () => {
    const begun = await presign();
    const parts = await send(begun);
    proxy.fail({ kind: 'lose' }, { of: 'CompleteMultipartUpload', times: 1 });
    expect(await complete(begun.id, { parts })).toMatchObject({ status: 'pending' });
  });

  it.each([
    { when: 'in time', isPutTogether: false },
    { when: 'after the gateway died', isPutTogether: true },
  ])('are gone when nobody completed them $when: the upload, its bytes and its key', async ({ isPutTogether }) => {
    const begun = await presign();
    const parts = await send(begun);
    const { tenantId } = gateway.tenant;
    const id = begun.id as UploadId;
    const storageKey = String((await directOf(id))?.storageKey);
    if (isPutTogether) {
      gateway.store.fail('get', { times: 1 });
      await expect(complete(id, { parts })).resolves.toMatchObject({ status: 503 });
      expect(await store.find(storageKey)).toBeDefined();
    }
    await gateway.catalog.directUploads.slide({ tenantId, id, leaseMs: -1 });
    await expect(complete(id, { parts })).resolves.toMatchObject({
      status: 400,
      code: 'upload.expired',
    });
    expect(await gateway.catalog.uploads.expireDue()).toBe(1);
    expect(await rowOf(id)).toMatchObject({ status: 'expired', contentHash: null });
    const due = await gateway.catalog.blobs.takeDue({ limit: 100 });
    expect(due).toContainEqual({ tenantId, storageKey });
    for (const blob of due) {
      await store.delete(blob.storageKey);
      await gateway.catalog.blobs.removed(blob);
    }
    const listed: string[] = [];
    for await (const { key } of store.list(storageKey)) listed.push(key);
    expect(listed).toEqual([]);
    for (const path of ['complete', 'parts']) {
      const json = path === 'parts' ? { part_numbers: [1] } : { parts: [{ part_number: 1, etag: 'x' }] };
      await expect(post(`/v1/files/${id}/${path}`, json)).resolves.toMatchObject({ code: 'upload.expired' });
    }
    expect(
      (await fetch(String(begun.parts[0]?.url), { method: 'PUT', body: bytes.subarray(0, PART_BYTES) })).status,
    ).toBe(404);
  });

  it('can be deleted while they are sent, and not be used', async () => {
    const begun = await presign();
    const storageKey = String((await directOf(begun.id))?.storageKey);
    const source = { label: 'x', source: { upload_id: begun.id } };
    await expect(post('/v1/datasets', source)).resolves.toMatchObject({ status: 409, code: 'upload.uploading' });
    expect((await gateway.send('DELETE', `/v1/files/${begun.id}`)).status).toBe(204);
    const { tenantId } = gateway.tenant;
    expect(await gateway.catalog.blobs.find({ tenantId, storageKey })).toMatchObject({ status: 'deleting' });
  });

  it('are refused beyond the limit', async () => {
    await expect(presign({ size_bytes: BYTES_MAX + 1 })).resolves.toMatchObject({
      status: 413,
      code: 'upload.too_large',
    });
  });

  it.each([{ size_bytes: 0 }, { size_bytes: 1.5 }, { sha256: 'abc' }, { content_encoding: 'br' }, { extra: 1 }])(
    'are refused when the request is not right: %j',
    async (request) => {
      await expect(presign(request)).resolves.toMatchObject({ status: 400, code: 'request.invalid' });
    },
  );

  it('have addresses for a hundred parts at a time', async () => {
    const begun = await presign({ size_bytes: 101 * PART_BYTES });
    expect(begun).toMatchObject({ part_count: 101 });
    expect(begun.parts.map((part) => part.part_number)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    const rest = await post<SignedPartsBody>(`/v1/files/${begun.id}/parts`, { part_numbers: [101] });
    expect(rest.parts).toMatchObject([{ part_number: 101, size_bytes: PART_BYTES }]);
    const all = Array.from({ length: 101 }, (_, index) => index + 1);
    await expect(post(`/v1/files/${begun.id}/parts`, { part_numbers: all })).resolves.toMatchObject({ status: 400 });
  });

  it('may name as many parts as a store takes', async () => {
    const begun = await presign();
    const parts = Array.from({ length: 10_000 }, (_, index) => ({
      part_number: index + 1,
      etag: `"${'e'.repeat(36)}"`,
    }));
    await expect(complete(begun.id, { parts })).resolves.toMatchObject({ status: 422, code: 'upload.parts_invalid' });
  });

  it('have no more parts than the file', async () => {
    const begun = await presign();
    await expect(post(`/v1/files/${begun.id}/parts`, { part_numbers: [3] })).resolves.toMatchObject({
      status: 400,
      code: 'request.invalid',
    });
  });

  it('leave nothing behind when the store does not answer', async () => {
    const { tenantId } = gateway.tenant;
    const newest = async () => (await gateway.catalog.uploads.list(tenantId, { limit: 1 })).items[0]?.id;
    const before = await newest();
    proxy.deny('CreateMultipartUpload');
    await expect(presign()).resolves.toMatchObject({ status: 503, code: 'storage.unavailable' });
    expect(await newest()).toBe(before);
    const keys = await registeredKeys(gateway.catalog);
    const blobs = await Promise.all(keys.map((storageKey) => gateway.catalog.blobs.find({ tenantId, storageKey })));
    const sending = await gateway.catalog.uploads.list(tenantId, { limit: 100, status: 'uploading' });
    expect(blobs.filter((blob) => blob?.status === 'writing')).toHaveLength(sending.items.length);
  });

  it('of another tenant, or another member, do not exist', async () => {
    const begun = await presign();
    const parts = await send(begun);
    const strangers = [(await createTenant(gateway.catalog)).admin.apiKey, gateway.tenant.member.apiKey];
    for (const apiKey of strangers) {
      const unknown = { status: 404, code: 'upload.not_found' };
      await expect(complete(begun.id, { parts }, { apiKey })).resolves.toMatchObject(unknown);
      const signing = post(`/v1/files/${begun.id}/parts`, { part_numbers: [1] }, { apiKey });
      await expect(signing).resolves.toMatchObject(unknown);
    }
    expect(await complete(begun.id, { parts })).toMatchObject({ status: 'pending' });
  });

  it('stay alive while a large file is verified', async () => {
    const begun = await presign({ size_bytes: 1000 });
    const parts = await send(begun, randomBytes(1000));
    const held = gateway.store.hold('get');
    const completing = complete(begun.id, { parts });
    await held.arrived;
    const { expiresAt } = await rowOf(begun.id);
    expect(expiresAt.getTime()).toBeGreaterThan(Date.now());
    await gateway.catalog.uploads.expireDue();
    held.release();
    await expect(completing).resolves.toMatchObject({ status: 'pending' });
  });

  it('are announced by the configuration', async () => {
    await expect((await gateway.send('GET', '/v1/config')).json()).resolves.toMatchObject({
      features: { presigned_uploads: true },
    });
  });
});

interface Part {
  readonly part_number: number;
  readonly etag: string;
}

describe('uploads straight to the store, whose lease is short', () => {
  // Long enough for a machine that is busy to be heard of three times.
  const leaseMs = 3_000;
  let s3: TestS3;
  let store: S3ObjectStore;
  let gateway: GatewayUnderTest;

  beforeAll(async () => {
    s3 = await startS3();
    store = new S3ObjectStore(s3);
    const { directUploads } = store;
    gateway = await startTestGateway({ PRESIGNED_URL_MS: String(leaseMs) }, undefined, { store, directUploads });
  });

  afterAll(async () => {
    await gateway.stop();
    store.close();
    await s3.stop();
  });

  it('live on as long as they are verified', async () => {
    const begin = await gateway.send('POST', '/v1/files/presign', { json: { size_bytes: 1000 } });
    const begun = (await begin.json()) as PresignedUploadBody;
    const sent = await fetch(String(begun.parts[0]?.url), { method: 'PUT', body: randomBytes(1000) });
    const parts = [{ part_number: 1, etag: sent.headers.get('etag') }];
    const held = gateway.store.hold('get');
    const completing = gateway.send('POST', `/v1/files/${begun.id}/complete`, { json: { parts } });
    await held.arrived;
    const firstEnd = Date.now() + 2 * leaseMs;
    await eventually('its first leases are over', async () => {
      await gateway.catalog.uploads.expireDue();
      return Date.now() > firstEnd;
    });
    held.release();
    await expect((await completing).json()).resolves.toMatchObject({ status: 'pending' });
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
