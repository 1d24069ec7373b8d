import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { FaultyObjectStore } from '@millrace/testing/faulty-object-store';
import { describeObjectStore } from '@millrace/testing/object-store-conformance';
import { objectKeys } from './object-keys.js';
import { FolderObjectStore } from './object-store.folder.js';

const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'millrace-folder-'));

describeObjectStore('folder', async () => {
  const root = await newFolder();
  const store = await new FolderObjectStore(root).open();
  return { store, close: () => rm(root, { recursive: true }) };
});

describeObjectStore('faulty without a fault', async () => {
  const root = await newFolder();
  const store = new FaultyObjectStore(await new FolderObjectStore(root).open());
  return { store, close: () => rm(root, { recursive: true }) };
});

describe('FolderObjectStore', () => {
  let base: string;
  let root: string;
  let store: FolderObjectStore;
  const tenantId = newId('tenant');

  beforeEach(async () => {
    base = await newFolder();
    root = join(base, 'deep', 'store');
    store = await new FolderObjectStore(root).open();
  });

  afterEach(() => rm(base, { recursive: true, force: true }));

  it('makes its root, and opens one that is there', async () => {
    await store.open();
    await store.ping();
    expect((await stat(root)).mode & 0o777).toBe(0o700);
  });

  it('says when its root went away', async () => {
    await rm(root, { recursive: true });
    await expect(store.ping()).rejects.toMatchObject({ code: 'storage.unavailable' });
  });

  it('says when its root can not be made', async () => {
    await writeFile(join(base, 'file'), '');
    await expect(new FolderObjectStore(join(base, 'file', 'store')).open()).rejects.toMatchObject({
      code: 'storage.unavailable',
    });
  });

  it('keeps objects read-only, and the folders to itself', async () => {
    const key = objectKeys.upload(tenantId);
    await store.put(key, textStream('x'));
    expect((await stat(join(root, key))).mode & 0o777).toBe(0o444);
    expect((await stat(dirname(join(root, key)))).mode & 0o777).toBe(0o700);
  });

  it('lists and deletes what is half written', async () => {
    const key = objectKeys.upload(tenantId);
    await mkdir(dirname(join(root, key)), { recursive: true });
    await writeFile(join(root, `${key}.part`), 'half');
    expect(await listAll(store, objectKeys.tenantPrefix(tenantId))).toEqual([{ key, sizeBytes: 4 }]);
    expect(await store.find(key)).toBeUndefined();
    await store.delete(key);
    expect(await listAll(store, '')).toEqual([]);
    expect(await readdir(root)).toEqual(['.millrace-store']);
  });

  it('lists an object once while its key is written again', async () => {
    const key = objectKeys.upload(tenantId);
    await store.put(key, textStream('whole'));
    await writeFile(join(root, `${key}.part`), 'half');
    expect(await listAll(store, 't/')).toEqual([{ key, sizeBytes: 5 }]);
  });

  it('lists an object that is being written', async () => {
    const key = objectKeys.inline(tenantId);
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: started, resolve: start } = Promise.withResolvers<void>();
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('first');
      start();
      await held;
    }
    const put = store.put(key, body());
    await started;
    expect(await listAll(store, objectKeys.tenantPrefix(tenantId))).toMatchObject([{ key }]);
    release();
    await put;
  });

  it('takes over what a dead writer left', async () => {
    const key = objectKeys.upload(tenantId);
    await mkdir(dirname(join(root, key)), { recursive: true });
    await writeFile(join(root, `${key}.part`), 'left behind', { mode: 0o444 });
    await store.put(key, textStream('new'));
    expect(await readdir(dirname(join(root, key)))).toEqual([key.split('/').at(-1)]);
    expect(await readFile(join(root, key), 'utf8')).toBe('new');
  });

  it('fails a put whose part was deleted under it', async () => {
    const key = objectKeys.upload(tenantId);
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
      await store.delete(key);
    }
    await expect(store.put(key, body())).rejects.toMatchObject({ code: 'storage.unavailable' });
    expect(await listAll(store, '')).toEqual([]);
  });

  it('does not list what it did not write, and follows no link', async () => {
    const key = objectKeys.upload(tenantId);
    const folder = dirname(join(root, key));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, '.DS_Store'), 'x');
    await symlink('/etc', join(root, 't', 'etc'));
    await symlink('/etc/passwd', join(root, key));
    await expect(store.get(key)).rejects.toMatchObject({ code: 'storage.unavailable' });
    expect(await listAll(store, '')).toEqual([]);
  });

  it('gives an object as a link, read-only, that outlives it', async () => {
    const key = objectKeys.upload(tenantId);
    await store.put(key, textStream('x'));
    expect(await store.link(key, join(base, 'local'))).toBe(true);
    const { ino, mode } = await stat(join(base, 'local'));
    expect([ino, mode & 0o777]).toEqual([(await stat(join(root, key))).ino, 0o444]);
    await store.delete(key);
    expect(await readFile(join(base, 'local'), 'utf8')).toBe('x');
  });

  it('refuses to link over a file, into a folder that is not there, and what is missing', async () => {
    const key = objectKeys.upload(tenantId);
    await store.put(key, textStream('x'));
    await writeFile(join(base, 'taken'), 'mine');
    await expect(store.link(key, join(base, 'taken'))).rejects.toMatchObject({ code: 'storage.unavailable' });
    expect(await readFile(join(base, 'taken'), 'utf8')).toBe('mine');
    await expect(store.link(key, join(base, 'no', 'folder'))).rejects.toMatchObject({ code: 'storage.unavailable' });
    const missing = store.link(objectKeys.upload(tenantId), join(base, 'missing'));
    await expect(missing).rejects.toMatchObject({ code: 'storage.object_missing' });
    await expect(stat(join(base, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('copies the file of a put, so that its writer can not change the object', async () => {
    const key = objectKeys.result({ tenantId, resultId: newId('result') });
    const path = join(base, 'result');
    await writeFile(path, 'right');
    await store.putFile(key, path);
    await writeFile(path, 'wrong');
    expect(await readFile(join(root, key), 'utf8')).toBe('right');
  });

  it('destroys a Node stream that it no longer reads', async () => {
    const controller = new AbortController();
    const body = new Readable({ read: () => undefined });
    const put = store.put(objectKeys.upload(tenantId), body, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('gone')), 5);
    await expect(put).rejects.toThrow('gone');
    expect(body.destroyed).toBe(true);
  });

  it('closes what was opened and never read', async () => {
    const key = objectKeys.upload(tenantId);
    await store.put(key, textStream('x'));
    const before = (await readdir('/proc/self/fd')).length;
    for (let round = 0; round < 20; round += 1) {
      await (await store.get(key))[Symbol.asyncIterator]().return?.();
      const controller = new AbortController();
      await store.get(key, { signal: controller.signal });
      controller.abort();
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await readdir('/proc/self/fd')).length).toBeLessThan(before + 5);
  });

  it('gives no link to another file system', async () => {
    const elsewhere = await mkdtemp('/dev/shm/millrace-');
    try {
      // The point of this test: two devices.
      expect((await stat(elsewhere)).dev).not.toBe((await stat(root)).dev);
      const key = objectKeys.upload(tenantId);
      await store.put(key, textStream('over there'));
      expect(await store.link(key, join(elsewhere, 'copy'))).toBe(false);
    } finally {
      await chmod(elsewhere, 0o700);
      await rm(elsewhere, { recursive: true });
    }
  });
});

describe('a folder that is away', () => {
  let base: string;
  let root: string;
  let store: FolderObjectStore;
  const key = objectKeys.upload(newId('tenant'));

  beforeEach(async () => {
    base = await newFolder();
    root = join(base, 'store');
    store = await new FolderObjectStore(root).open();
    await store.put(key, textStream('kept'));
  });

  afterEach(() => rm(base, { recursive: true, force: true }));

  const away = async (what: string): Promise<void> => {
    await rename(root, `${root}.away`);
    if (what === 'an empty mount point') await mkdir(root);
  };
  const back = async (): Promise<void> => {
    await rm(root, { recursive: true, force: true });
    await rename(`${root}.away`, root);
  };

  it.each(['nothing', 'an empty mount point'])('is no store without objects: %s', async (what) => {
    await away(what);
    await writeFile(join(base, 'local'), 'of the disk');
    const calls = {
      put: store.put(objectKeys.upload(newId('tenant')), textStream('x')),
      putFile: store.putFile(objectKeys.upload(newId('tenant')), join(base, 'local')),
      get: store.get(key),
      find: store.find(key),
      link: store.link(key, join(base, 'copy')),
      delete: store.delete(key),
      list: listAll(store, ''),
      listBelow: listAll(store, key.slice(0, key.lastIndexOf('/') + 1)),
      ping: store.ping(),
    };
    for (const call of Object.values(calls)) {
      await expect(call).rejects.toMatchObject({ code: 'storage.unavailable' });
    }
    expect(await readdir(root).catch(() => [])).toEqual([]);
    await back();
    expect(await store.find(key)).toEqual({ key, sizeBytes: 4 });
    expect(await listAll(store, '')).toEqual([{ key, sizeBytes: 4 }]);
  });

  it('is no new store, unless nothing is there', async () => {
    expect(await store.isNew()).toBe(false);
    await away('nothing');
    expect(await store.isNew()).toBe(true);
    await mkdir(root);
    expect(await store.isNew()).toBe(true);
    await writeFile(join(root, '.millrace-store'), '');
    expect(await store.isNew()).toBe(false);
    await back();
  });

  it('takes over a store from before there were marks', async () => {
    await rm(join(root, '.millrace-store'));
    expect(await store.isNew()).toBe(false);
    await expect(store.find(objectKeys.upload(newId('tenant')))).rejects.toMatchObject({ code: 'storage.unavailable' });
    await store.open();
    expect(await store.find(key)).toEqual({ key, sizeBytes: 4 });
    expect(await readFile(join(root, '.millrace-store'), 'utf8')).toContain('Millrace');
  });
});

describe('FaultyObjectStore', () => {
  let root: string;
  let store: FaultyObjectStore;
  const key = objectKeys.upload(newId('tenant'));

  beforeEach(async () => {
    root = await newFolder();
    store = new FaultyObjectStore(await new FolderObjectStore(root).open());
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  it('fails by name, some times, before or after the work', async () => {
    store.fail('put', { times: 1 });
    await expect(store.put(key, textStream('x'))).rejects.toMatchObject({ code: 'storage.unavailable' });
    expect(await store.find(key)).toBeUndefined();
    store.fail('put', { times: 1, when: 'after', error: () => new Error('lost') });
    await expect(store.put(key, textStream('x'))).rejects.toThrow('lost');
    expect(await store.find(key)).toEqual({ key, sizeBytes: 1 });
    await store.put(key, textStream('xy'));
  });

  it('fails every n-th call until it is healed', async () => {
    store.failEvery(2);
    await store.ping();
    await expect(store.ping()).rejects.toMatchObject({ code: 'storage.unavailable' });
    await store.ping();
    store.heal();
    await store.ping();
  });

  it('holds calls until they are released', async () => {
    const held = store.hold('find');
    let answered = false;
    const call = store.find(key).then(() => (answered = true));
    await held.arrived;
    await store.ping();
    expect(answered).toBe(false);
    held.release();
    await call;
    expect(store.calls.map((each) => each.call)).toEqual(['find', 'ping']);
  });

  it('lets a signal end a held or delayed call', async () => {
    const held = store.hold('ping');
    await expect(store.ping({ signal: AbortSignal.timeout(5) })).rejects.toThrow();
    held.release();
    store.delay(60_000);
    await expect(store.ping({ signal: AbortSignal.timeout(5) })).rejects.toThrow();
  });
});

async function* textStream(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

async function listAll(store: FolderObjectStore, prefix: string): Promise<unknown[]> {
  const objects: unknown[] = [];
  for await (const object of store.list(prefix)) objects.push(object);
  return objects;
}
