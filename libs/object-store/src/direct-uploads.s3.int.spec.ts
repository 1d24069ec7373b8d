import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId, type DirectUpload, type SentPart } from '@millrace/domain';
import { S3Proxy } from '@millrace/testing/s3-proxy';
import { startS3, type TestS3 } from '@millrace/testing/start-s3';
import { objectKeys } from './object-keys.js';
import { S3ObjectStore } from './object-store.s3.js';

const MiB = 1024 * 1024;
const PART_BYTES = 5 * MiB;
const SIZE_BYTES = 2 * PART_BYTES + 7;
const PARTS = [
  { number: 1, sizeBytes: PART_BYTES },
  { number: 2, sizeBytes: PART_BYTES },
  { number: 3, sizeBytes: 7 },
];

describe('S3DirectUploads', () => {
  let s3: TestS3;
  let proxy: S3Proxy;
  let store: S3ObjectStore;
  const bytes = randomBytes(SIZE_BYTES);
  const tenantId = newId('tenant');

  beforeAll(async () => {
    s3 = await startS3();
    proxy = await S3Proxy.start(s3.endpoint);
    store = new S3ObjectStore({ ...s3, endpoint: proxy.endpoint, limits: { pageKeysMax: 2 } });
  });

  beforeEach(() => proxy.heal());

  afterAll(async () => {
    store.close();
    await proxy.stop();
    await s3.stop();
  });

  const begin = (): Promise<DirectUpload> => store.directUploads.begin(objectKeys.upload(tenantId));
  const expiresInMs = 60_000;
  const put = (url: string, body: Uint8Array) => fetch(url, { method: 'PUT', body: Buffer.from(body) });

  const send = async (upload: DirectUpload): Promise<SentPart[]> => {
    const signed = await store.directUploads.signParts(upload, { parts: PARTS, expiresInMs });
    const sent: SentPart[] = [];
    for (const { number, sizeBytes, url } of signed) {
      const start = (number - 1) * PART_BYTES;
      const answer = await put(url, bytes.subarray(start, start + sizeBytes));
      expect(answer.status).toBe(200);
      sent.push({ number, etag: answer.headers.get('etag') ?? '' });
    }
    return sent;
  };

  it('become an object when they are complete, and not before', async () => {
    const upload = await begin();
    const parts = await send(upload);
    expect(await store.find(upload.key)).toBeUndefined();
    await store.directUploads.complete(upload, { parts, sizeBytes: SIZE_BYTES });
    const chunks: Uint8Array[] = [];
    for await (const chunk of await store.get(upload.key)) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    await store.directUploads.complete(upload, { parts, sizeBytes: SIZE_BYTES });
  });

  it('take etags with and without quotes', async () => {
    const upload = await begin();
    const parts = (await send(upload)).map((part) => ({ ...part, etag: part.etag.replaceAll('"', '') }));
    await store.directUploads.complete(upload, { parts, sizeBytes: SIZE_BYTES });
    expect(await store.find(upload.key)).toEqual({ key: upload.key, sizeBytes: SIZE_BYTES });
  });

  it('are as large as was announced, or stay as they are', async () => {
    const upload = await begin();
    const parts = await send(upload);
    for (const sizeBytes of [SIZE_BYTES - 1, SIZE_BYTES + 1]) {
      await expect(store.directUploads.complete(upload, { parts, sizeBytes })).rejects.toMatchObject({
        code: 'upload.parts_invalid',
      });
    }
    expect(await store.find(upload.key)).toBeUndefined();
    await store.directUploads.complete(upload, { parts, sizeBytes: SIZE_BYTES });
  });

  it('have parts that the store takes, or stay as they are', async () => {
    const upload = await begin();
    const [signed] = await store.directUploads.signParts(upload, { parts: [{ number: 1, sizeBytes: 3 }], expiresInMs });
    const etag = (await put(String(signed?.url), Buffer.from('abc'))).headers.get('etag') ?? '';
    const [, , last] = await send(upload);
    const [again] = await store.directUploads.signParts(upload, { parts: [{ number: 1, sizeBytes: 3 }], expiresInMs });
    await put(String(again?.url), Buffer.from('abc'));
    const parts = [{ number: 1, etag }, ...(last ? [last] : [])];
    await expect(store.directUploads.complete(upload, { parts, sizeBytes: 10 })).rejects.toMatchObject({
      code: 'upload.parts_invalid',
      message: expect.stringContaining('EntityTooSmall'),
    });
    await store.directUploads.complete(upload, { parts: await send(upload), sizeBytes: SIZE_BYTES });
  });

  it('are expired when the store knows them no more', async () => {
    const upload = await begin();
    const parts = await send(upload);
    await store.delete(upload.key);
    await expect(store.directUploads.complete(upload, { parts, sizeBytes: SIZE_BYTES })).rejects.toMatchObject({
      code: 'upload.expired',
    });
  });

  it('are not lost because the bucket is away', async () => {
    const upload = await begin();
    const parts = await send(upload);
    proxy.fail({ kind: 'answer', status: 404, code: 'NoSuchBucket' });
    await expect(store.directUploads.complete(upload, { parts, sizeBytes: SIZE_BYTES })).rejects.toMatchObject({
      code: 'storage.unavailable',
    });
    proxy.heal();
    await store.directUploads.complete(upload, { parts, sizeBytes: SIZE_BYTES });
  });

  it('have addresses whose time is over some day', async () => {
    const upload = await begin();
    const [signed] = await store.directUploads.signParts(upload, {
      parts: [{ number: 1, sizeBytes: 1 }],
      expiresInMs: 1,
    });
    expect(new URL(String(signed?.url)).searchParams.get('X-Amz-Expires')).toBe('1');
  });

  it('have the address that clients see', async () => {
    const { port } = new URL(s3.endpoint);
    const publicEndpoint = `http://localhost:${port}`;
    const seen = new S3ObjectStore({ ...s3, endpoint: proxy.endpoint, publicEndpoint });
    const upload = await seen.directUploads.begin(objectKeys.upload(tenantId));
    const [signed] = await seen.directUploads.signParts(upload, { parts: [{ number: 1, sizeBytes: 3 }], expiresInMs });
    expect(new URL(String(signed?.url)).host).toBe(`localhost:${port}`);
    const answer = await put(String(signed?.url).replace('localhost', '127.0.0.1'), Buffer.from('abc'));
    // The host is signed, so the address is good for that host only.
    expect(answer.status).toBe(403);
    seen.close();
  });

  it('say when there are no credentials to sign with, or no permission', async () => {
    const stranger = new S3ObjectStore({
      ...s3,
      endpoint: proxy.endpoint,
      credentials: { accessKeyId: 'nobody', secretAccessKey: 'x' },
    });
    await expect(stranger.directUploads.begin(objectKeys.upload(tenantId))).rejects.toMatchObject({
      code: 'storage.unavailable',
      message: expect.stringContaining('InvalidAccessKeyId'),
    });
    stranger.close();
  });

  it('take keys of the key maker only', async () => {
    await expect(store.directUploads.begin('t/../x')).rejects.toBeInstanceOf(RangeError);
  });
});
