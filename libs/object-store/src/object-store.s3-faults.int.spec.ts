import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { eventually } from '@millrace/testing/eventually';
import { S3Proxy, type S3Fault } from '@millrace/testing/s3-proxy';
import { startS3, type TestS3 } from '@millrace/testing/start-s3';
import { objectKeys } from './object-keys.js';
import { S3ObjectStore } from './object-store.s3.js';
import type { S3StoreOptions } from './s3-store-options.js';

const MiB = 1024 * 1024;
const ATTEMPTS_MAX = 3;
const SLOW_DOWN: S3Fault = { kind: 'answer', status: 503, code: 'SlowDown' };
const INTERNAL: S3Fault = { kind: 'answer', status: 500, code: 'InternalError' };

let s3: TestS3;
let proxy: S3Proxy;
let store: S3ObjectStore;
let folder: string;
const opened: S3ObjectStore[] = [];

const open = (options: Partial<S3StoreOptions> = {}): S3ObjectStore => {
  const made = new S3ObjectStore({
    ...s3,
    endpoint: proxy.endpoint,
    limits: { attemptsMax: ATTEMPTS_MAX },
    ...options,
  });
  opened.push(made);
  return made;
};

beforeAll(async () => {
  s3 = await startS3();
  proxy = await S3Proxy.start(s3.endpoint);
  store = open();
  folder = await mkdtemp(join(tmpdir(), 'millrace-s3-spec-'));
});

beforeEach(() => proxy.heal());

afterAll(async () => {
  for (const each of opened) each.close();
  await proxy.stop();
  await s3.stop();
  await rm(folder, { recursive: true, force: true });
});

const newKey = (tenant = newId('tenant')): string => objectKeys.upload(tenant);
const count = (operation: string): number => proxy.requests.filter((each) => each.operation === operation).length;

describe('an S3 store that fails now and then', () => {
  it.each([SLOW_DOWN, INTERNAL, { kind: 'lose' } as const])('serves every call all the same: %j', async (fault) => {
    const tenant = newId('tenant');
    const key = newKey(tenant);
    proxy.fail(fault, { every: 3 });
    await store.put(key, bodyOf(11 * MiB));
    expect(await store.find(key)).toEqual({ key, sizeBytes: 11 * MiB });
    expect(await readBytes(store, key)).toBe(11 * MiB);
    expect(await listAll(store, objectKeys.tenantPrefix(tenant))).toEqual([key]);
    await store.delete(key);
    expect(await store.find(key)).toBeUndefined();
  });

  it('takes an upload as done whose last answer was lost', async () => {
    const key = newKey();
    proxy.fail({ kind: 'lose' }, { of: 'CompleteMultipartUpload', times: 1 });
    await store.put(key, bodyOf(6 * MiB));
    expect(count('CompleteMultipartUpload')).toBe(2);
    expect(await readBytes(store, key)).toBe(6 * MiB);
  });

  it('is there again after it was away', async () => {
    const key = newKey();
    await store.put(key, bodyOf(3));
    await proxy.refuse();
    // Jest's own realm of errors costs this one its code; `s3-error.spec.ts` says what is made of ECONNREFUSED.
    await expect(store.find(key)).rejects.toMatchObject({ code: 'storage.unavailable' });
    await proxy.accept();
    expect(await store.find(key)).toEqual({ key, sizeBytes: 3 });
  });
});

describe('an S3 store that goes on failing', () => {
  it.each([SLOW_DOWN, INTERNAL])('is unavailable after some tries: %j', async (fault) => {
    proxy.fail(fault);
    const key = newKey();
    const calls = [
      () => store.put(key, bodyOf(3)),
      () => store.get(key),
      () => store.find(key),
      () => store.delete(key),
      () => listAll(store, 't/'),
      () => store.ping(),
    ];
    for (const call of calls) {
      proxy.requests.length = 0;
      await expect(call()).rejects.toMatchObject({ code: 'storage.unavailable' });
      expect(proxy.requests).toHaveLength(ATTEMPTS_MAX);
    }
  });

  it.each([
    { kind: 'cut', afterBytes: 100_000 },
    { kind: 'shorten', bytes: 100_000 },
    { kind: 'shorten', bytes: 0 },
  ] as const)('gives no file that is cut off: %j', async (fault) => {
    const key = newKey();
    await store.put(key, bodyOf(200_000));
    proxy.fail(fault, { of: 'GetObject' });
    await expect(readBytes(store, key)).rejects.toMatchObject({ code: 'storage.unavailable' });
  });

  it.each(['bytes 1-9/10', 'bytes 0-8/10', 'bytes 0-9/*', ''])(
    'gives no other bytes than those asked for: %j',
    async (range) => {
      const key = newKey();
      await store.put(key, bodyOf(10));
      proxy.fail({ kind: 'headers', headers: { 'content-range': range } }, { of: 'GetObject' });
      await expect(store.get(key)).rejects.toMatchObject({ code: 'storage.unavailable' });
      await expect(store.get(key, { range: { start: 0, end: 9 } })).rejects.toMatchObject({
        code: 'storage.unavailable',
      });
    },
  );

  it('ends a read that stalls, and not one whose reader is slow', async () => {
    const idleTimeoutMs = 300;
    const impatient = open({ limits: { idleTimeoutMs, attemptsMax: 1 } });
    const key = newKey();
    await store.put(key, bodyOf(4 * MiB));
    const bytes = await impatient.get(key);
    let readSoFar = 0;
    for await (const chunk of bytes) {
      if (readSoFar === 0) await sleep(2 * idleTimeoutMs);
      readSoFar += chunk.byteLength;
    }
    expect(readSoFar).toBe(4 * MiB);
    proxy.fail({ kind: 'stall', afterBytes: 100 });
    await expect(readBytes(impatient, key)).rejects.toMatchObject({ code: 'storage.unavailable' });
    await expect(listAll(impatient, 't/')).rejects.toMatchObject({ code: 'storage.unavailable' });
  });

  it('is unavailable when it does not answer in time', async () => {
    const impatient = open({ limits: { idleTimeoutMs: 100, attemptsMax: 1 } });
    proxy.fail({ kind: 'delay', delayMs: 60_000 });
    await expect(impatient.ping()).rejects.toMatchObject({
      code: 'storage.unavailable',
      message: expect.stringContaining('did not answer in time'),
    });
    proxy.heal();
  });

  it.each([
    { status: 507, code: 'XMinioStorageFull' },
    { status: 409, code: 'QuotaExceeded' },
  ])('may be full: $code', async (answer) => {
    proxy.fail({ kind: 'answer', ...answer }, { of: 'PutObject' });
    await expect(store.put(newKey(), bodyOf(3))).rejects.toMatchObject({ code: 'storage.full' });
  });

  it('lists and deletes without the half-written where it does not know them', async () => {
    proxy.fail({ kind: 'answer', status: 501, code: 'NotImplemented' }, { of: 'ListMultipartUploads' });
    const tenant = newId('tenant');
    const key = newKey(tenant);
    await store.put(key, bodyOf(3));
    expect(await listAll(store, objectKeys.tenantPrefix(tenant))).toEqual([key]);
    await store.delete(key);
    expect(await store.find(key)).toBeUndefined();
  });
});

describe('a put in parts', () => {
  it('takes no more of its body than a few parts while the store is slow', async () => {
    const held = proxy.hold(['UploadPart']);
    let handedOut = 0;
    async function* body(): AsyncGenerator<Uint8Array> {
      for await (const chunk of bodyOf(64 * MiB)) {
        handedOut += chunk.byteLength;
        yield chunk;
      }
    }
    const put = store.put(newKey(), body());
    try {
      await eventually('three parts are on their way, and the next is gathered', () => {
        return count('UploadPart') === 3 && handedOut >= 20 * MiB;
      });
      expect(handedOut).toBe(20 * MiB);
    } finally {
      held.release();
    }
    expect(await put).toMatchObject({ sizeBytes: 64 * MiB });
  });
});

describe('a put in parts that fails', () => {
  it.each(['UploadPart', 'CompleteMultipartUpload'] as const)('leaves nothing: at %s', async (of) => {
    const tenant = newId('tenant');
    proxy.fail(SLOW_DOWN, { of });
    await expect(store.put(newKey(tenant), bodyOf(23 * MiB))).rejects.toMatchObject({ code: 'storage.unavailable' });
    expect(count('AbortMultipartUpload')).toBe(1);
    proxy.heal();
    expect(await listAll(store, objectKeys.tenantPrefix(tenant))).toEqual([]);
  });

  it('leaves nothing when its body throws', async () => {
    const tenant = newId('tenant');
    const broken = new Error('the client went away');
    async function* body(): AsyncGenerator<Uint8Array> {
      yield* bodyOf(11 * MiB);
      throw broken;
    }
    await expect(store.put(newKey(tenant), body())).rejects.toBe(broken);
    expect(await listAll(store, objectKeys.tenantPrefix(tenant))).toEqual([]);
  });

  it('leaves nothing when its signal aborts while parts are on their way', async () => {
    const tenant = newId('tenant');
    const controller = new AbortController();
    const enough = new Error('enough');
    proxy.fail({ kind: 'delay', delayMs: 60_000 }, { of: 'UploadPart' });
    async function* body(): AsyncGenerator<Uint8Array> {
      yield* bodyOf(11 * MiB);
      controller.abort(enough);
    }
    await expect(store.put(newKey(tenant), body(), { signal: controller.signal })).rejects.toBe(enough);
    proxy.heal();
    expect(await listAll(store, objectKeys.tenantPrefix(tenant))).toEqual([]);
  });

  it('does not wait for a body that is silent', async () => {
    const { promise: silence } = Promise.withResolvers<void>();
    proxy.fail(INTERNAL, { of: 'UploadPart' });
    async function* body(): AsyncGenerator<Uint8Array> {
      yield* bodyOf(6 * MiB);
      await silence;
    }
    await expect(store.put(newKey(), body())).rejects.toMatchObject({ code: 'storage.unavailable' });
  });
});

describe('an S3 store that is set up wrongly', () => {
  const says = (text: string) => ({ code: 'storage.unavailable', message: expect.stringContaining(text) });

  it('has lost nothing when its bucket is not there', async () => {
    const elsewhere = open({ bucket: 'no-such-bucket' });
    const key = newKey();
    const calls = [
      elsewhere.put(key, bodyOf(3)),
      elsewhere.put(key, bodyOf(6 * MiB)),
      elsewhere.get(key),
      elsewhere.find(key),
      elsewhere.delete(key),
      listAll(elsewhere, 't/'),
      elsewhere.ping(),
    ];
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: says('There is no bucket "no-such-bucket"') });
    }
  });

  it('has lost nothing when something else answers in its place', async () => {
    proxy.fail({ kind: 'answer', status: 404, code: 'PageNotFound' });
    await expect(store.find(newKey())).rejects.toMatchObject({ code: 'storage.unavailable' });
    await expect(store.get(newKey())).rejects.toMatchObject({ code: 'storage.unavailable' });
  });

  it.each([
    { of: 'PutObject', action: 's3:PutObject', call: (key: string) => store.put(key, bodyOf(3)) },
    { of: 'GetObject', action: 's3:GetObject', call: (key: string) => store.get(key) },
    { of: 'HeadObject', action: 's3:GetObject', call: (key: string) => store.find(key) },
    { of: 'DeleteObject', action: 's3:DeleteObject', call: (key: string) => store.delete(key) },
    { of: 'ListObjects', action: 's3:ListBucket', call: () => store.ping() },
  ] as const)('names what its policy does not allow: $action at $of', async ({ of, action, call }) => {
    proxy.deny(of);
    await expect(call(newKey())).rejects.toMatchObject(says(`does not allow ${action} on the bucket "${s3.bucket}"`));
  });

  it.each([
    { of: 'ListObjects', action: 's3:ListBucket' },
    { of: 'PutObject', action: 's3:PutObject' },
    { of: 'GetObject', action: 's3:GetObject' },
    { of: 'DeleteObject', action: 's3:DeleteObject' },
    { of: 'ListParts', action: 's3:ListMultipartUploadParts' },
    { of: 'AbortMultipartUpload', action: 's3:AbortMultipartUpload' },
    { of: 'ListMultipartUploads', action: 's3:ListBucketMultipartUploads' },
  ] as const)(
    'names it before anything is done when it is asked for access: $action at $of',
    async ({ of, action }) => {
      proxy.deny(of);
      await expect(store.checkAccess()).rejects.toMatchObject(
        says(`does not allow ${action} on the bucket "${s3.bucket}"`),
      );
    },
  );

  it('may be asked for access by many at once, and takes back what it wrote', async () => {
    await Promise.all(Array.from({ length: 8 }, () => store.checkAccess()));
    const calls = (operation: string) => proxy.requests.filter((each) => each.operation === operation);
    expect(calls('DeleteObject').map(({ target }) => target.split('?')[0])).toEqual(
      calls('PutObject').map(({ target }) => target.split('?')[0]),
    );
  });

  it('says that its credentials are wrong', async () => {
    const { accessKeyId, secretAccessKey } = s3.credentials;
    const stranger = open({ credentials: { accessKeyId: 'nobody', secretAccessKey } });
    await expect(stranger.ping()).rejects.toMatchObject(says('not valid (InvalidAccessKeyId)'));
    const forger = open({ credentials: { accessKeyId, secretAccessKey: 'guessed' } });
    await expect(forger.ping()).rejects.toMatchObject(says('not valid (SignatureDoesNotMatch)'));
  });

  it('says that its region is wrong, and which is right', async () => {
    await expect(open({ region: 'eu-central-1' }).ping()).rejects.toMatchObject(
      says(`The region of the bucket "${s3.bucket}" is "us-east-1". Set S3_REGION.`),
    );
  });

  it('names no key', async () => {
    proxy.deny();
    const key = newKey();
    const error: unknown = await store.find(key).catch((caught: unknown) => caught);
    expect(String(error)).not.toContain(key);
  });
});

async function* bodyOf(sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let left = sizeBytes; left > 0; left -= MiB) yield Buffer.alloc(Math.min(left, MiB), 'x');
}

async function readBytes(store: S3ObjectStore, key: string): Promise<number> {
  let bytes = 0;
  for await (const chunk of await store.get(key)) bytes += chunk.byteLength;
  return bytes;
}

async function listAll(store: S3ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}
