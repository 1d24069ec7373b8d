import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { createLogger, Registry } from '@millrace/telemetry';
import { S3Proxy, type S3Fault } from '@millrace/testing/s3-proxy';
import { startS3, type TestS3 } from '@millrace/testing/start-s3';
import { objectKeys } from './object-keys.js';
import { S3ObjectStore } from './object-store.s3.js';
import { ReadCache } from './read-cache.js';

const MiB = 1024 * 1024;
const SIZE_BYTES = 3 * MiB + 1;

let s3: TestS3;
let proxy: S3Proxy;
let store: S3ObjectStore;
let root: string;
let cache: ReadCache;

beforeAll(async () => {
  s3 = await startS3();
  proxy = await S3Proxy.start(s3.endpoint);
  store = new S3ObjectStore({ ...s3, endpoint: proxy.endpoint });
  root = await mkdtemp(join(tmpdir(), 'millrace-cache-s3-'));
  cache = await ReadCache.open({
    store,
    root,
    metrics: new Registry(),
    logger: createLogger({ level: 'silent', service: 'test' }),
    options: { bytesMax: 100 * MiB, rangeBytes: 256 * 1024 },
  });
});
beforeEach(() => proxy.heal());
afterAll(async () => {
  await cache.close();
  store.close();
  await proxy.stop();
  await s3.stop();
  await rm(root, { recursive: true, force: true });
});

async function put() {
  const tenantId = newId('tenant');
  const bytes = randomBytes(SIZE_BYTES);
  const storageKey = objectKeys.upload(tenantId);
  await store.put(storageKey, once(bytes));
  const contentHash = createHash('sha256').update(bytes).digest('hex');
  return { bytes, known: { tenantId, storageKey, contentHash, sizeBytes: SIZE_BYTES } };
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const acquire = (known: Awaited<ReturnType<typeof put>>['known']) =>
  cache.acquire({ ...known, signal: new AbortController().signal });

describe('a read cache of a bucket', () => {
  it('fetches a cold file in ranges, once for a hundred readers', async () => {
    const { bytes, known } = await put();
    proxy.requests.length = 0;
    const files = await Promise.all(Array.from({ length: 100 }, () => acquire(known)));
    expect((await readFile(files[0]?.path ?? '')).equals(bytes)).toBe(true);
    expect(proxy.requests.filter(({ operation }) => operation === 'GetObject')).toHaveLength(13);
  });

  const faults: S3Fault[] = [
    { kind: 'answer', status: 503, code: 'SlowDown' },
    { kind: 'cut', afterBytes: 100_000 },
    { kind: 'shorten', bytes: 100_000 },
  ];
  it.each(faults)('gives whole files while every third answer is bad: %j', async (fault) => {
    const { bytes, known } = await put();
    proxy.fail(fault, { of: 'GetObject', every: 3 });
    const file = await acquire(known);
    expect((await readFile(file.path)).equals(bytes)).toBe(true);
    expect((await readdir(join(root, '0', known.tenantId))).join()).not.toContain('.part');
  });
});
