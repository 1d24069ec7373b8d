import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import type { ObjectStore, StoredObject } from '@millrace/domain';
import { describeAbort, describeKeys } from './object-store.conformance-guards.js';
import {
  brokenStream,
  keysOf,
  MiB,
  newDatasetKey,
  newKey,
  newResultKey,
  readAll,
  storedBytes,
  streamOf,
  type GetContext,
  type StoreContext,
} from './object-store.conformance-kit.js';

/** One chunk that is being written, one that gathers meanwhile, and room for a store that does so in another way. */
const GATHERED_BYTES_MAX = 4 * MiB;

/** Many times what a store may gather, so that one that gathers everything is found out. */
const LARGE_BODY_FACTOR = 4;
const LARGE_BODY_BYTES_MIN = 64 * MiB;

export interface ObjectStoreUnderTest {
  readonly store: ObjectStore;
  /** What a put may hold of its body before the store has it: parts of S3 have a size that they must have. */
  readonly gatheredBytesMax?: number;
  /** Ends what the factory started. */
  close(): Promise<void>;
}

/** What every object store does. One suite for all adapters of the port; each run has tenants of its own. */
export function describeObjectStore(name: string, factory: () => Promise<ObjectStoreUnderTest>): void {
  describe(`object store: ${name}`, () => {
    let context: StoreContext | undefined;
    let underTest: ObjectStoreUnderTest | undefined;

    beforeAll(async () => {
      underTest = await factory();
      context = {
        store: underTest.store,
        gatheredBytesMax: underTest.gatheredBytesMax ?? GATHERED_BYTES_MAX,
        folder: await mkdtemp(join(tmpdir(), 'millrace-store-')),
      };
    });

    afterAll(async () => {
      await underTest?.close();
      if (context) await rm(context.folder, { recursive: true, force: true });
    });

    const getContext: GetContext = () => {
      if (!context) throw new Error('The object store was not started.');
      return context;
    };
    describePut(getContext);
    describeBrokenPut(getContext);
    describeGet(getContext);
    describeDelete(getContext);
    describeList(getContext);
    describeKeys(getContext);
    describeAbort(getContext);
  });
}

function describePut(context: GetContext): void {
  describe('put', () => {
    it('keeps the bytes', async () => {
      const { store } = context();
      const key = newKey();
      const bytes = randomBytes(300_000);
      expect(await store.put(key, streamOf(bytes, 10_000))).toEqual({ key, sizeBytes: 300_000 });
      expect(await store.find(key)).toEqual({ key, sizeBytes: 300_000 });
      expect((await readAll(await store.get(key))).equals(bytes)).toBe(true);
    });

    it('keeps no bytes, too', async () => {
      const { store } = context();
      const key = newKey();
      expect(await store.put(key, streamOf(Buffer.alloc(0), 1))).toEqual({ key, sizeBytes: 0 });
      expect((await readAll(await store.get(key))).length).toBe(0);
    });

    it('does not gather a large body in memory: what it takes it stores, but for a little', async () => {
      const { store, gatheredBytesMax } = context();
      const tenant = newId('tenant');
      const key = newKey(tenant);
      const chunks = Math.max(LARGE_BODY_BYTES_MIN, LARGE_BODY_FACTOR * gatheredBytesMax) / MiB;
      let mostBytes = 0;
      async function* body(): AsyncGenerator<Uint8Array> {
        for (let handedOut = 0; handedOut < chunks; handedOut += 1) {
          mostBytes = Math.max(mostBytes, handedOut * MiB - (await storedBytes(store, `t/${tenant}/`)));
          yield Buffer.alloc(MiB, handedOut);
        }
      }
      expect(await store.put(key, body())).toEqual({ key, sizeBytes: chunks * MiB });
      expect(mostBytes).toBeLessThanOrEqual(gatheredBytesMax);
    });

    it('takes many keys of one folder at the same time, beside deletes', async () => {
      const { store } = context();
      const tenant = newId('tenant');
      const keys = Array.from({ length: 40 }, () => newKey(tenant));
      await Promise.all(
        keys.map(async (key) => {
          await store.put(key, streamOf(Buffer.from(key), 7));
          await store.delete(key);
          await store.put(key, streamOf(Buffer.from(key), 7));
        }),
      );
      expect((await keysOf(store, `t/${tenant}/`)).sort()).toEqual([...keys].sort());
    });

    it('puts a local file and leaves it where it is', async () => {
      const { store, folder } = context();
      const path = join(folder, 'local');
      await writeFile(path, 'of the disk');
      const key = newKey();
      expect(await store.putFile(key, path)).toEqual({ key, sizeBytes: 11 });
      expect((await readAll(await store.get(key))).toString()).toBe('of the disk');
      expect(await readFile(path, 'utf8')).toBe('of the disk');
    });

    it('says when the local file is not there', async () => {
      const { store, folder } = context();
      const key = newKey();
      await expect(store.putFile(key, join(folder, 'nothing'))).rejects.toMatchObject({
        code: 'storage.object_missing',
      });
      expect(await store.find(key)).toBeUndefined();
    });
  });
}

function describeBrokenPut(context: GetContext): void {
  describe('a body that throws', () => {
    it('leaves nothing and passes its error on', async () => {
      const { store } = context();
      const tenant = newId('tenant');
      const key = newKey(tenant);
      const broken = new Error('the client went away');
      await expect(store.put(key, brokenStream(broken))).rejects.toBe(broken);
      expect(await store.find(key)).toBeUndefined();
      await expect(store.get(key)).rejects.toMatchObject({ code: 'storage.object_missing' });
      expect(await keysOf(store, `t/${tenant}/`)).toEqual([]);
    });

    it('does not stop a second try under the same key', async () => {
      const { store } = context();
      const key = newKey();
      await expect(store.put(key, brokenStream(new Error('broken')))).rejects.toThrow('broken');
      await store.put(key, streamOf(Buffer.from('whole'), 2));
      expect((await readAll(await store.get(key))).toString()).toBe('whole');
    });

    it('is not visible while it is being written', async () => {
      const { store } = context();
      const key = newKey();
      const { promise: held, resolve: release } = Promise.withResolvers<void>();
      const { promise: started, resolve: start } = Promise.withResolvers<void>();
      async function* body(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('first');
        start();
        await held;
        yield Buffer.from(' second');
      }
      const put = store.put(key, body());
      await started;
      expect(await store.find(key)).toBeUndefined();
      await expect(store.get(key)).rejects.toMatchObject({ code: 'storage.object_missing' });
      release();
      await put;
      expect((await readAll(await store.get(key))).toString()).toBe('first second');
    });
  });
}

function describeGet(context: GetContext): void {
  describe('get', () => {
    it.each([
      { range: { start: 0, end: 0 }, text: '0' },
      { range: { start: 2, end: 4 }, text: '234' },
      { range: { start: 9, end: 9 }, text: '9' },
      { range: { start: 7, end: 99 }, text: '789' },
      { range: { start: 10, end: 12 }, text: '' },
    ])('gives the bytes $range.start to $range.end', async ({ range, text }) => {
      const { store } = context();
      const key = newKey();
      await store.put(key, streamOf(Buffer.from('0123456789'), 3));
      expect((await readAll(await store.get(key, { range }))).toString()).toBe(text);
    });

    it('says at once that an object is missing', async () => {
      await expect(context().store.get(newKey())).rejects.toMatchObject({ code: 'storage.object_missing' });
    });

    it('finds nothing under a key that was never put', async () => {
      expect(await context().store.find(newKey())).toBeUndefined();
    });

    it('lets many read one object, and stop early', async () => {
      const { store } = context();
      const key = newKey();
      const bytes = randomBytes(2 * MiB);
      await store.put(key, streamOf(bytes, 100_000));
      for await (const chunk of await store.get(key)) {
        expect(chunk.byteLength).toBeGreaterThan(0);
        break;
      }
      const copies = await Promise.all(Array.from({ length: 8 }, async () => readAll(await store.get(key))));
      expect(copies.every((copy) => copy.equals(bytes))).toBe(true);
    });
  });
}

function describeDelete(context: GetContext): void {
  describe('delete', () => {
    it('deletes, once and again', async () => {
      const { store } = context();
      const key = newKey();
      await store.put(key, streamOf(Buffer.from('x'), 1));
      await store.delete(key);
      expect(await store.find(key)).toBeUndefined();
      await store.delete(key);
    });

    it('leaves the neighbours alone', async () => {
      const { store } = context();
      const tenant = newId('tenant');
      const [gone, kept] = [newKey(tenant), newKey(tenant)];
      await store.put(gone, streamOf(Buffer.from('x'), 1));
      await store.put(kept, streamOf(Buffer.from('y'), 1));
      await store.delete(gone);
      expect(await keysOf(store, `t/${tenant}/`)).toEqual([kept]);
    });
  });
}

function describeList(context: GetContext): void {
  describe('list', () => {
    it('gives the objects of a prefix with their sizes, and no others', async () => {
      const { store } = context();
      const [tenant, other] = [newId('tenant'), newId('tenant')];
      const keys = [newKey(tenant), newKey(tenant), newResultKey(tenant), newDatasetKey(tenant)];
      for (const key of [...keys, newKey(other)]) await store.put(key, streamOf(Buffer.from('four'), 4));
      const listed: StoredObject[] = [];
      for await (const object of store.list(`t/${tenant}/`)) listed.push(object);
      expect(listed.map((object) => object.key).sort()).toEqual([...keys].sort());
      expect(listed.every((object) => object.sizeBytes === 4)).toBe(true);
      expect((await keysOf(store, `t/${tenant}/up`)).length).toBe(2);
    });

    it('gives nothing for a prefix without objects', async () => {
      expect(await keysOf(context().store, `t/${newId('tenant')}/`)).toEqual([]);
    });

    it('answers a ping', async () => {
      await expect(context().store.ping()).resolves.toBeUndefined();
    });
  });
}
