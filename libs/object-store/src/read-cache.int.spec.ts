import { readFile, rm, stat } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { CacheBench } from '../test/cache-bench.js';

const gone = new Error('gone');

describe.each(['near', 'far'] as const)('a read cache of a store that is %s', (place) => {
  let bench: CacheBench;
  /** The call that brings a file. */
  const call = place === 'near' ? 'link' : 'get';

  beforeEach(async () => {
    bench = await CacheBench.open(place, { rangeBytes: 1_000 });
  });
  afterEach(() => bench.close());

  it('fetches a cold file once for a hundred readers', async () => {
    const known = await bench.put('once');
    const held = bench.store.hold(call);
    const coming = Array.from({ length: 100 }, () => bench.acquire(known));
    await held.arrived;
    held.release();
    const files = await Promise.all(coming);
    expect(bench.countCalls(call)).toBe(1);
    expect(new Set(files.map(({ path }) => path)).size).toBe(1);
    const path = files[0]?.path ?? '';
    expect(await readFile(path, 'utf8')).toBe('once');
    expect((await stat(path)).mode & 0o777).toBe(0o444);
    for (const file of files) await file.release();
    await bench.touch(known);
    expect(bench.countCalls(call)).toBe(1);
    expect(await Promise.all(['miss', 'shared', 'hit'].map((each) => bench.metric('requests_total', each)))).toEqual([
      1, 99, 1,
    ]);
  });

  it('forgets a fetch that failed', async () => {
    const known = await bench.put('later');
    bench.store.fail(call);
    const error = { code: 'storage.unavailable' };
    await expect(Promise.all([bench.acquire(known), bench.acquire(known)])).rejects.toMatchObject(error);
    bench.store.heal();
    expect(await readFile((await bench.acquire(known)).path, 'utf8')).toBe('later');
  });

  it('says that an object is missing', async () => {
    const known = await bench.put('missing');
    await bench.objects.delete(known.storageKey);
    await expect(bench.acquire(known)).rejects.toMatchObject({ code: 'storage.object_missing' });
    expect(await bench.files()).toEqual([]);
    expect(bench.cache.sizeBytes).toBe(0);
  });

  it('says that an object has lost bytes', async () => {
    const known = await bench.put('whole');
    const longer = { ...known, sizeBytes: 10 };
    await expect(bench.acquire(longer)).rejects.toMatchObject({ code: 'storage.object_corrupt' });
    expect(await bench.files()).toEqual([]);
  });

  it('ends a fetch when its last waiter has gone, and not before', async () => {
    const known = await bench.put('slow');
    const held = bench.store.hold(call);
    const [first, second, third] = [new AbortController(), new AbortController(), new AbortController()];
    const one = bench.acquire(known, { signal: first.signal });
    const two = bench.acquire(known, { signal: second.signal });
    await held.arrived;
    first.abort(gone);
    await expect(one).rejects.toBe(gone);
    const three = bench.acquire(known, { signal: third.signal });
    second.abort(gone);
    await expect(two).rejects.toBe(gone);
    held.release();
    await (await three).release();
    expect(bench.countCalls(call)).toBe(1);
  });

  it('fetches anew what was given up', async () => {
    const known = await bench.put('slow');
    const held = bench.store.hold(call);
    const one = new AbortController();
    const given = bench.acquire(known, { signal: one.signal });
    await held.arrived;
    one.abort(gone);
    await expect(given).rejects.toThrow('gone');
    expect(bench.cache.sizeBytes).toBe(0);
    const again = bench.acquire(known);
    held.release();
    expect(await readFile((await again).path, 'utf8')).toBe('slow');
    expect(bench.countCalls(call)).toBe(2);
    await bench.filesLeft(1);
  });

  it('does not wait for a store that hangs', async () => {
    await bench.restart({ answerMsMax: 50 });
    const held = bench.store.hold(call);
    await expect(bench.acquire(await bench.put('never'))).rejects.toMatchObject({ code: 'storage.unavailable' });
    held.release();
  });

  it('fetches a file anew that somebody has deleted', async () => {
    const known = await bench.put('twice');
    const file = await bench.acquire(known);
    await rm(file.path);
    await file.release();
    expect(await readFile((await bench.acquire(known)).path, 'utf8')).toBe('twice');
  });

  it('looks for the object again when it is asked to', async () => {
    const known = await bench.put('gone');
    await bench.touch(known);
    await bench.touch(known, { verify: true });
    await bench.objects.delete(known.storageKey);
    await bench.touch(known);
    bench.store.fail('find', { times: 1 });
    await bench.touch(known, { verify: true });
    await expect(bench.acquire(known, { verify: true })).rejects.toMatchObject({ code: 'storage.object_missing' });
    await bench.filesLeft(0);
    expect(bench.cache.sizeBytes).toBe(0);
  });

  it('keeps tenants apart, also those that have the same bytes', async () => {
    const [one, two] = [await bench.put('equal'), await bench.put('equal', newId('tenant'))];
    expect(one.contentHash).toBe(two.contentHash);
    const [first, second] = [await bench.acquire(one), await bench.acquire(two)];
    expect(bench.countCalls(call)).toBe(2);
    expect(second.path).not.toBe(first.path);
    expect(second.path).toContain(two.tenantId);
  });

  it('lets go of files of deleted objects that nobody has used for a while, and not of those in use', async () => {
    await bench.restart({ idleMsMax: 50 });
    const [used, idle] = [await bench.put('used'), await bench.put('idle')];
    const file = await bench.acquire(used);
    await bench.touch(idle);
    for (const { storageKey } of [used, idle]) await bench.objects.delete(storageKey);
    await bench.filesLeft(1);
    // There is nothing to fetch it from any more.
    const again = await bench.acquire(used);
    expect(await readFile(again.path, 'utf8')).toBe('used');
    for (const each of [file, again]) await each.release();
    await bench.filesLeft(0);
    expect(await bench.metric('evictions_total', 'idle')).toBe(2);
  });

  it('keeps no file after its use when it is told so', async () => {
    await bench.restart({ idleMsMax: 0, bytesMax: 0 });
    const known = await bench.put('read once');
    const [one, two] = [await bench.acquire(known), await bench.acquire(known)];
    await one.release();
    await one.release();
    expect(await readFile(two.path, 'utf8')).toBe('read once');
    await two.release();
    await bench.filesLeft(0);
  });

  it('keeps no more files than it may', async () => {
    await bench.restart({ filesMax: 2 });
    for (const known of await bench.putMany(4, 10)) await bench.touch(known);
    await bench.filesLeft(2);
    expect(await bench.metric('evictions_total', 'room')).toBe(2);
  });

  it('takes what can not be a file of the catalog for a mistake', async () => {
    const known = await bench.put('a');
    for (const wrong of [{ contentHash: '../outside' }, { sizeBytes: -1 }, { sizeBytes: Number.NaN }]) {
      await expect(bench.acquire({ ...known, ...wrong })).rejects.toThrow(RangeError);
    }
  });
});
