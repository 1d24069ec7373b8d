import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { createOwnFolder } from '@millrace/engine';
import { FolderObjectStore, objectKeys } from '@millrace/object-store';
import { eventually, FaultyObjectStore } from '@millrace/testing';
import { FileCache, type CachedFile, type FileCacheOptions } from './file-cache.js';

const OPTIONS: FileCacheOptions = { bytesMax: 1_000, idleMsMax: 60_000, fetchMsMax: 60_000 };
const never = new AbortController().signal;

describe('the cache of files', () => {
  let folder: string;
  let store: FaultyObjectStore;
  let cache: FileCache;
  let cacheFolder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-cache-'));
    store = new FaultyObjectStore(await new FolderObjectStore(join(folder, 'objects')).open());
    cacheFolder = await createOwnFolder(join(folder, 'cache'), 0o700);
    cache = new FileCache(store, cacheFolder, OPTIONS);
  });
  afterEach(async () => {
    await cache.close();
    await rm(folder, { recursive: true, force: true });
  });

  const putObject = async (text: string): Promise<string> => {
    const key = objectKeys.upload(newId('tenant'));
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(text);
    }
    await store.put(key, body());
    store.calls.length = 0;
    return key;
  };
  const acquire = (storageKey: string, wanted: { verify?: boolean; signal?: AbortSignal; sizeBytes?: number } = {}) =>
    cache.acquire({ storageKey, sizeBytes: 400, signal: never, ...wanted });
  const fetches = (): number => store.calls.filter(({ call }) => call === 'materialize').length;
  const filesLeft = async (count: number): Promise<string[]> =>
    eventually(`the cache has ${count} files`, async () => {
      const files = await readdir(cacheFolder);
      return files.length === count && files;
    });

  it('fetches a file once for all who ask', async () => {
    const key = await putObject('once');
    const files = await Promise.all([acquire(key), acquire(key), acquire(key)]);
    expect(fetches()).toBe(1);
    const [first] = files;
    expect(await readFile(first?.path ?? '', 'utf8')).toBe('once');
    expect((await stat(first?.path ?? '')).mode & 0o777).toBe(0o444);
    for (const file of files) file.release();
    await acquire(key);
    expect(fetches()).toBe(1);
    expect(cache.sizeBytes).toBe(400);
  });

  it('drops the file that was used longest ago when there is no room', async () => {
    const keys = await Promise.all(['a', 'b', 'c'].map(putObject));
    const [a = '', b = '', c = ''] = keys;
    for (const key of [a, b]) (await acquire(key)).release();
    (await acquire(a)).release();
    (await acquire(c)).release();
    await filesLeft(2);
    expect(cache.sizeBytes).toBe(800);
    store.calls.length = 0;
    await acquire(a);
    await acquire(c);
    expect(fetches()).toBe(0);
    await acquire(b);
    expect(fetches()).toBe(1);
  });

  it('keeps what is in use, beyond its room if it must', async () => {
    const files: CachedFile[] = [];
    for (const text of ['a', 'b', 'c', 'd']) files.push(await acquire(await putObject(text)));
    await filesLeft(4);
    expect(cache.sizeBytes).toBe(1_600);
    for (const file of files) expect((await readFile(file.path)).length).toBe(1);
    for (const file of files) {
      file.release();
      file.release();
    }
    await filesLeft(2);
  });

  it('gives a file that is larger than its room to who asked for it', async () => {
    const key = await putObject('large');
    const file = await acquire(key, { sizeBytes: 5_000 });
    const again = await acquire(key, { sizeBytes: 5_000 });
    file.release();
    expect(await readFile(again.path, 'utf8')).toBe('large');
    again.release();
    await filesLeft(0);
  });

  it('forgets a fetch that failed', async () => {
    const key = await putObject('later');
    store.fail('materialize', { times: 1 });
    await expect(Promise.all([acquire(key), acquire(key)])).rejects.toMatchObject({ code: 'storage.unavailable' });
    expect(await readFile((await acquire(key)).path, 'utf8')).toBe('later');
    expect(cache.sizeBytes).toBe(400);
  });

  it('ends a fetch when nobody waits for it any more, and not before', async () => {
    const key = await putObject('slow');
    const held = store.hold('materialize');
    const [first, second] = [new AbortController(), new AbortController()];
    const reason = new Error('gone');
    const one = acquire(key, { signal: first.signal });
    const two = acquire(key, { signal: second.signal });
    await held.arrived;
    first.abort(reason);
    await expect(one).rejects.toBe(reason);
    const three = acquire(key);
    second.abort(reason);
    await expect(two).rejects.toBe(reason);
    held.release();
    (await three).release();
    expect(fetches()).toBe(1);
  });

  it('fetches anew what was given up', async () => {
    const key = await putObject('slow');
    const held = store.hold('materialize');
    const gone = new AbortController();
    const given = acquire(key, { signal: gone.signal });
    await held.arrived;
    gone.abort(new Error('gone'));
    await expect(given).rejects.toThrow('gone');
    expect(cache.sizeBytes).toBe(0);
    const again = acquire(key);
    held.release();
    expect(await readFile((await again).path, 'utf8')).toBe('slow');
    expect(fetches()).toBe(2);
    await filesLeft(1);
  });

  it('does not wait for a store that hangs', async () => {
    cache = new FileCache(store, cacheFolder, { ...OPTIONS, fetchMsMax: 50 });
    const held = store.hold('materialize');
    await expect(acquire(await putObject('never'))).rejects.toMatchObject({ code: 'storage.unavailable' });
    held.release();
  });

  it('fetches a copy anew that somebody has deleted', async () => {
    const key = await putObject('twice');
    const file = await acquire(key);
    await rm(file.path);
    file.release();
    expect(await readFile((await acquire(key)).path, 'utf8')).toBe('twice');
  });

  it('looks for the object again when it is asked to', async () => {
    const key = await putObject('gone');
    (await acquire(key)).release();
    (await acquire(key, { verify: true })).release();
    await store.delete(key);
    (await acquire(key)).release();
    store.fail('find', { times: 1 });
    (await acquire(key, { verify: true })).release();
    await expect(acquire(key, { verify: true })).rejects.toMatchObject({ code: 'storage.object_missing' });
    await filesLeft(0);
    expect(cache.sizeBytes).toBe(0);
  });

  it('lets go of files that nobody has used for long', async () => {
    await cache.close();
    cacheFolder = await createOwnFolder(join(folder, 'cache'), 0o700);
    cache = new FileCache(store, cacheFolder, { ...OPTIONS, idleMsMax: 100 });
    const used = await acquire(await putObject('used'));
    (await acquire(await putObject('idle'))).release();
    expect(await filesLeft(1)).toHaveLength(1);
    used.release();
    expect(await filesLeft(0)).toEqual([]);
  });
});
