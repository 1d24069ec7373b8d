import { randomBytes } from 'node:crypto';
import { chmod, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DomainError } from '@millrace/domain';
import { eventually } from '@millrace/testing/eventually';
import { CacheBench, KiB } from '../test/cache-bench.js';

let bench: CacheBench;
const signal = new AbortController().signal;

beforeEach(async () => {
  bench = await CacheBench.open('far');
});
afterEach(() => bench.close());

/** As a disk that fails does: other bytes, and nothing else changes. */
async function rot(path: string): Promise<void> {
  const { atime, mtime, size } = await stat(path);
  await chmod(path, 0o600);
  await writeFile(path, Buffer.alloc(size, 'x'));
  await utimes(path, atime, mtime);
}

describe('the room for copies', () => {
  it('goes to those that were used last', async () => {
    const [a, b, c] = await bench.putMany(3, 400);
    if (!a || !b || !c) throw new Error('three files');
    for (const known of [a, b, a, c]) await bench.touch(known);
    await bench.filesLeft(2);
    expect(bench.cache.sizeBytes).toBe(800);
    expect(await bench.metric('bytes')).toBe(800);
    expect(await bench.metric('fetched_bytes_total')).toBe(1_200);
    const calls = bench.countCalls('get');
    for (const known of [a, c]) await bench.touch(known);
    expect(bench.countCalls('get')).toBe(calls);
    await bench.touch(b);
    expect(bench.countCalls('get')).toBe(calls + 4);
    expect(await bench.metric('evictions_total', 'room')).toBe(2);
  });

  it('is never made with files in use, and is kept again after that', async () => {
    const known = await bench.putMany(4, 400);
    const files = await Promise.all(known.map((each) => bench.acquire(each)));
    expect(bench.cache.sizeBytes).toBe(1_600);
    const again = await Promise.all(known.map((each) => bench.acquire(each)));
    expect(again.map(({ path }) => path)).toEqual(files.map(({ path }) => path));
    for (const { path } of files) expect((await readFile(path)).length).toBe(400);
    for (const file of [...files, ...again]) await file.release();
    await bench.filesLeft(2);
    expect(bench.cache.sizeBytes).toBe(800);
  });

  it('may be smaller than a file, which then goes after its use', async () => {
    const large = await bench.put(randomBytes(5_000));
    const [one, two] = [await bench.acquire(large), await bench.acquire(large)];
    await one.release();
    expect((await readFile(two.path)).length).toBe(5_000);
    await two.release();
    await bench.filesLeft(0);
    expect(bench.cache.sizeBytes).toBe(0);
    await bench.touch(large);
  });

  it('is none for links', async () => {
    const near = await CacheBench.open('near');
    for (const known of await near.putMany(4, 400)) await near.touch(known);
    expect([near.cache.sizeBytes, (await near.files()).length, near.countCalls('get')]).toEqual([0, 4, 0]);
    await near.close();
  });

  it('is made on a disk that is full, once', async () => {
    const [idle, known] = [await bench.put('idle'), await bench.put('next')];
    await bench.touch(idle);
    const error = (): Error => new DomainError('storage.full', 'The disk is full on purpose.');
    bench.store.fail('get', { times: 1, error });
    expect(await readFile((await bench.acquire(known)).path, 'utf8')).toBe('next');
    await bench.filesLeft(1);
    bench.store.fail('get', { times: 1, error });
    await expect(bench.acquire(idle)).rejects.toMatchObject({ code: 'storage.full' });
    await bench.filesLeft(1);
    await bench.touch(idle);
  });
});

describe('a copy that was damaged', () => {
  it.each<[string, (path: string) => Promise<void>]>([
    ['changed', async (path) => writeFile(path, 'damage!')],
    ['cut off', async (path) => truncate(path, 3)],
  ])('by being %s is noticed by the next reader, and fetched again', async (_how, damage) => {
    const known = await bench.put('content');
    const file = await bench.acquire(known);
    await chmod(file.path, 0o600);
    await damage(file.path);
    const again = await bench.acquire(known);
    expect(await readFile(again.path, 'utf8')).toBe('content');
    expect(again.path).not.toBe(file.path);
    await file.release();
    await bench.filesLeft(1);
    expect(await bench.metric('evictions_total', 'damaged')).toBe(1);
    expect(bench.lines.join('')).toContain('a local copy is not what was fetched');
  });

  it('without a trace is noticed when a reader finds it unreadable', async () => {
    const known = await bench.put('content');
    const file = await bench.acquire(known);
    await expect(file.isIntact(signal)).resolves.toBe(true);
    await rot(file.path);
    const looks = await Promise.all([file.isIntact(signal), file.isIntact(signal)]);
    expect(looks).toEqual([false, false]);
    await file.release();
    expect(await readFile((await bench.acquire(known)).path, 'utf8')).toBe('content');
    await bench.filesLeft(1);
  });

  it('while no process ran is noticed before its first use', async () => {
    const [rotten, sound] = [await bench.put('rotten'), await bench.put('sound')];
    const { path } = await bench.acquire(rotten);
    await bench.touch(sound);
    await rot(path);
    await bench.restart();
    expect(await readFile((await bench.acquire(rotten)).path, 'utf8')).toBe('rotten');
    expect(await readFile((await bench.acquire(sound)).path, 'utf8')).toBe('sound');
    expect(await Promise.all(['hit', 'miss'].map((each) => bench.metric('requests_total', each)))).toEqual([1, 1]);
    await bench.filesLeft(2);
  });
});

describe('a fetch', () => {
  it('asks for ranges, four at once, and puts them in their places', async () => {
    const bytes = randomBytes(64 * KiB + 1);
    await bench.restart({ rangeBytes: 4 * KiB, bytesMax: 1_000_000 });
    const known = await bench.put(bytes);
    const held = bench.store.hold('get');
    const coming = bench.acquire(known);
    await eventually('four are under way', () => bench.countCalls('get') === 4);
    held.release();
    expect((await readFile((await coming).path)).equals(bytes)).toBe(true);
    expect(bench.countCalls('get')).toBe(17);
  });

  it('that the store refuses every third time succeeds', async () => {
    const bytes = randomBytes(2_000);
    const known = await bench.put(bytes);
    bench.store.failEvery(3);
    expect((await readFile((await bench.acquire(known)).path)).equals(bytes)).toBe(true);
    expect(bench.countCalls('get')).toBeGreaterThan(20);
  });

  it.each(['error', 'end'] as const)('whose bytes break off with an %s is no file', async (how) => {
    const known = await bench.put(randomBytes(1_000));
    bench.store.cutBytes({ afterBytes: 99, how });
    await expect(bench.acquire(known)).rejects.toMatchObject({ code: 'storage.unavailable' });
    expect(await bench.files()).toEqual([]);
    bench.store.heal();
    await bench.touch(known);
  });

  it('of an object with other bytes is tried twice, and is no file', async () => {
    const known = await bench.put('content');
    await rot(bench.objectPath(known));
    await expect(bench.acquire(known)).rejects.toMatchObject({ code: 'storage.object_corrupt' });
    expect(bench.countCalls('get')).toBe(2);
    expect(await bench.files()).toEqual([]);
    expect(bench.cache.sizeBytes).toBe(0);
  });

  it('that nobody waits for any more is ended', async () => {
    const known = await bench.put('never');
    const held = bench.store.hold('get');
    const waiter = new AbortController();
    const coming = bench.acquire(known, { signal: waiter.signal });
    await held.arrived;
    expect(await bench.files()).toEqual([expect.stringMatching(/\.part$/)]);
    waiter.abort(new Error('gone'));
    await expect(coming).rejects.toThrow('gone');
    // The store has still not answered.
    await bench.filesLeft(0);
    held.release();
  });

  it('leaves nothing when the cache closes meanwhile', async () => {
    const known = await bench.put('never');
    const held = bench.store.hold('get');
    const coming = bench.acquire(known);
    await held.arrived;
    await Promise.all([expect(coming).rejects.toMatchObject({ code: 'service.unavailable' }), bench.cache.close()]);
    expect(await bench.files()).toEqual([]);
    await bench.openCache();
  });
});
