import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { CreateMultipartUploadCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { describeObjectStore } from '@millrace/testing/object-store-conformance';
import { S3Proxy } from '@millrace/testing/s3-proxy';
import { startS3, type TestS3 } from '@millrace/testing/start-s3';
import { objectKeys } from './object-keys.js';
import { S3ObjectStore } from './object-store.s3.js';

const MiB = 1024 * 1024;
/** Three parts on their way and the one that gathers. */
const GATHERED_BYTES_MAX = 20 * MiB;

describeObjectStore('s3', async () => {
  const s3 = await startS3();
  const store = new S3ObjectStore(s3);
  return {
    store,
    gatheredBytesMax: GATHERED_BYTES_MAX,
    close: async () => {
      store.close();
      await s3.stop();
    },
  };
});

describe('S3ObjectStore', () => {
  let s3: TestS3;
  let proxy: S3Proxy;
  let store: S3ObjectStore;
  let folder: string;
  const tenantId = newId('tenant');

  beforeAll(async () => {
    s3 = await startS3();
    proxy = await S3Proxy.start(s3.endpoint);
    store = new S3ObjectStore({ ...s3, endpoint: proxy.endpoint, limits: { pageKeysMax: 3 } });
    folder = await mkdtemp(join(tmpdir(), 'millrace-s3-spec-'));
  });

  beforeEach(() => proxy.heal());

  afterAll(async () => {
    store.close();
    await proxy.stop();
    await s3.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const operations = (): string[] => proxy.requests.map(({ operation }) => operation);

  it('puts a small body in one call', async () => {
    await store.put(objectKeys.upload(tenantId), bodyOf(5 * MiB - 1));
    expect(operations()).toEqual(['PutObject']);
  });

  it('puts a large body in parts, and gives it back as it was', async () => {
    const key = objectKeys.upload(tenantId);
    const bytes = randomBytes(23 * MiB + 1);
    expect(await store.put(key, streamOf(bytes))).toEqual({ key, sizeBytes: bytes.byteLength });
    expect(operations().filter((operation) => operation === 'UploadPart')).toHaveLength(5);
    expect((await readAll(store, key)).equals(bytes)).toBe(true);
  });

  it('lists and deletes what is half written, each key once, over pages', async () => {
    const tenant = newId('tenant');
    const prefix = objectKeys.tenantPrefix(tenant);
    const [whole, ...others] = Array.from({ length: 8 }, () => objectKeys.upload(tenant));
    const half = others.slice(0, 4);
    for (const key of [whole, ...others.slice(4)]) await store.put(String(key), bodyOf(3));
    for (const key of [whole, ...half, ...half]) await beginUpload(s3, { key: String(key), bytes: 7 });
    const listed = await listAll(store, prefix);
    expect(listed.map(({ key }) => key).sort()).toEqual([whole, ...others].sort());
    expect(listed.filter(({ sizeBytes }) => sizeBytes === 7)).toHaveLength(4);
    expect(await store.find(String(half[0]))).toBeUndefined();
    for (const { key } of listed) await store.delete(key);
    expect(await listAll(store, prefix)).toEqual([]);
  });

  it('lists a key once that becomes an object meanwhile', async () => {
    const tenant = newId('tenant');
    const upload = await store.directUploads.begin(objectKeys.upload(tenant));
    const [part] = await store.directUploads.signParts(upload, {
      parts: [{ number: 1, sizeBytes: 3 }],
      expiresInMs: 60_000,
    });
    const sent = await fetch(String(part?.url), { method: 'PUT', body: 'abc' });
    const listing = store.list(objectKeys.tenantPrefix(tenant));
    expect((await listing.next()).value).toEqual({ key: upload.key, sizeBytes: 3 });
    const parts = [{ number: 1, etag: sent.headers.get('etag') ?? '' }];
    await store.directUploads.complete(upload, { parts, sizeBytes: 3 });
    expect(await listing.next()).toMatchObject({ done: true });
  });

  it('deletes the half-written uploads of a key only', async () => {
    const tenant = newId('tenant');
    const [gone, kept] = [objectKeys.upload(tenant), objectKeys.upload(tenant)];
    for (const key of [gone, kept]) await beginUpload(s3, { key, bytes: 1 });
    await store.delete(gone);
    expect((await listAll(store, objectKeys.tenantPrefix(tenant))).map(({ key }) => key)).toEqual([kept]);
  });

  it('leaves out of a listing what it did not write', async () => {
    const client = clientOf(s3);
    const stranger = { Bucket: s3.bucket, Key: 't/somebody-else.txt' };
    await client.send(new CreateMultipartUploadCommand(stranger));
    client.destroy();
    expect((await listAll(store, 't/some')).map(({ key }) => key)).toEqual([]);
  });

  it('says how it encrypts', async () => {
    const key = objectKeys.upload(tenantId);
    for (const encryption of [
      { algorithm: 'AES256' },
      { algorithm: 'aws:kms' },
      { algorithm: 'aws:kms', kmsKeyId: 'key-1' },
    ] as const) {
      const encrypting = new S3ObjectStore({ ...s3, endpoint: proxy.endpoint, encryption });
      proxy.heal();
      await encrypting.put(key, bodyOf(3));
      await encrypting.put(key, bodyOf(6 * MiB));
      for (const { operation, headers } of proxy.requests) {
        if (!['PutObject', 'CreateMultipartUpload'].includes(operation)) continue;
        expect(headers['x-amz-server-side-encryption']).toBe(encryption.algorithm);
        const keyId = 'kmsKeyId' in encryption ? encryption.kmsKeyId : undefined;
        expect(headers['x-amz-server-side-encryption-aws-kms-key-id']).toBe(keyId);
      }
      encrypting.close();
    }
  });

  it('sends a checksum of what it puts', async () => {
    await store.put(objectKeys.upload(tenantId), bodyOf(3));
    await store.put(objectKeys.upload(tenantId), bodyOf(6 * MiB));
    const sent = proxy.requests.filter(({ operation }) => ['PutObject', 'UploadPart'].includes(operation));
    expect(sent).toHaveLength(3);
    for (const { headers } of sent) expect(headers['x-amz-checksum-crc32']).toMatch(/^[\w+/]{6}==$/);
  });

  it('closes what was opened and never read', async () => {
    const key = objectKeys.upload(tenantId);
    await store.put(key, bodyOf(9 * MiB));
    const few = new S3ObjectStore({ ...s3, endpoint: proxy.endpoint, limits: { socketsMax: 2 } });
    for (let round = 0; round < 6; round += 1) {
      await (await few.get(key))[Symbol.asyncIterator]().return?.();
      const controller = new AbortController();
      await few.get(key, { signal: controller.signal });
      controller.abort();
    }
    // With both connections still taken it would wait for ever.
    await expect(few.ping()).resolves.toBeUndefined();
    few.close();
  });

  it('destroys a Node stream that it no longer reads', async () => {
    const controller = new AbortController();
    const body = new Readable({ read: () => undefined });
    const put = store.put(objectKeys.upload(tenantId), body, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('gone')), 5);
    await expect(put).rejects.toThrow('gone');
    expect(body.destroyed).toBe(true);
  });
});

const bodyOf = (sizeBytes: number): AsyncGenerator<Uint8Array> => streamOf(Buffer.alloc(sizeBytes, 'x'));

async function* streamOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += 300_000) yield bytes.subarray(start, start + 300_000);
}

async function readAll(store: S3ObjectStore, key: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await store.get(key)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function listAll(store: S3ObjectStore, prefix: string): Promise<{ key: string; sizeBytes: number }[]> {
  const objects: { key: string; sizeBytes: number }[] = [];
  for await (const object of store.list(prefix)) objects.push(object);
  return objects;
}

function clientOf(s3: TestS3): S3Client {
  return new S3Client({ ...s3 });
}

/** An upload whose writer died after its first part. */
async function beginUpload(s3: TestS3, { key, bytes }: { key: string; bytes: number }): Promise<void> {
  const client = clientOf(s3);
  const target = { Bucket: s3.bucket, Key: key };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
  await client.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: Buffer.alloc(bytes) }));
  client.destroy();
}
