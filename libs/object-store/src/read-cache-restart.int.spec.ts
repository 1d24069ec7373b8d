import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { CacheBench, KiB, type KnownFile } from '../test/cache-bench.js';

const SCRIPT = fileURLToPath(new URL('../test/killable-cache.mjs', import.meta.url));
/** With a limit of 128 blocks, of 512 bytes in some shells and 1,024 in others, a larger file fails as on a full disk. */
const LIMITED = ['-c', 'ulimit -f 128; exec "$@"', 'sh'];
const ROOM = { bytesMax: 1_000_000, rangeBytes: 1_000 };

let bench: CacheBench;
const children: ChildProcess[] = [];

beforeEach(async () => {
  bench = await CacheBench.open('far', ROOM);
  await bench.cache.close();
});
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  await bench.openCache(ROOM);
  await bench.close();
});

interface Work {
  readonly files: readonly KnownFile[];
  readonly stopAfter?: number;
}

/** A cache in another process, which is there until it is killed; what it said. */
async function startOther(work: Work, { isLimited = false } = {}): Promise<{ child: ChildProcess; said: unknown }> {
  const argument = JSON.stringify({ ...work, folder: bench.objects.root, root: bench.root });
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', SCRIPT, argument];
  const [command = '', ...given] = isLimited ? ['sh', ...LIMITED, ...node] : node;
  const child = spawn(command, given, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.push(child);
  const [said] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [unknown];
  return { child, said };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const outcomes = async (): Promise<number[]> =>
  Promise.all(['hit', 'miss'].map((outcome) => bench.metric('requests_total', outcome)));

describe('a process that is killed', () => {
  it('in the middle of a fetch leaves its whole copies to the next one, and nothing else', async () => {
    const bytes = randomBytes(20_000);
    const [whole, half] = [await bench.put('whole'), await bench.put(bytes)];
    const { child, said } = await startOther({ files: [whole, half], stopAfter: 5 });
    expect(said).toBe('stopped');
    expect((await bench.files()).filter((name) => name.endsWith('.part'))).toHaveLength(1);
    await kill(child);
    await bench.openCache(ROOM);
    expect(await bench.files()).toHaveLength(1);
    expect(bench.cache.sizeBytes).toBe(5);
    expect(await readFile((await bench.acquire(whole)).path, 'utf8')).toBe('whole');
    expect(await outcomes()).toEqual([1, 0]);
    expect((await readFile((await bench.acquire(half)).path)).equals(bytes)).toBe(true);
    expect(await outcomes()).toEqual([1, 1]);
  });
});

describe('several processes on one machine', () => {
  it('have a place each, and the one that stays empties those of the others', async () => {
    const [one, two] = [await bench.put('one'), await bench.put('two')];
    const first = await startOther({ files: [one] });
    const second = await startOther({ files: [one, two] });
    expect([first.said, second.said]).toEqual([
      { outcomes: ['here'], sizeBytes: 3 },
      { outcomes: ['here', 'here'], sizeBytes: 6 },
    ]);
    expect((await bench.files()).map((name) => name.slice(0, 2)).sort()).toEqual(['0/', '1/', '1/']);
    await kill(first.child);
    await bench.openCache(ROOM);
    expect(await bench.files()).toHaveLength(3);
    await bench.cache.close();
    await kill(second.child);
    await bench.openCache(ROOM);
    expect((await bench.files()).map((name) => name.slice(0, 2))).toEqual(['0/']);
    await bench.touch(one);
    expect(await outcomes()).toEqual([1, 0]);
  });
});

describe('what is taken over', () => {
  it('counts, and goes when there is no room', async () => {
    await bench.openCache(ROOM);
    const files = await bench.putMany(3, 400);
    for (const known of files) await bench.touch(known);
    await bench.restart({ ...ROOM, bytesMax: 800 });
    await bench.filesLeft(2);
    expect(bench.cache.sizeBytes).toBe(800);
  });

  it('goes when nobody asks for it in a while', async () => {
    await bench.openCache(ROOM);
    await bench.touch(await bench.put('forgotten'));
    await bench.restart({ ...ROOM, idleMsMax: 50 });
    expect(await bench.filesLeft(0)).toEqual([]);
  });

  it('are no links: they would keep the bytes of deleted objects', async () => {
    const near = await CacheBench.open('near');
    const known = await near.put('near');
    await near.touch(known);
    await near.cache.close();
    expect(await near.files()).toEqual([]);
    await near.openCache();
    await near.acquire(known);
    await near.restart();
    expect(await near.files()).toEqual([]);
    await near.close();
  });

  it('is shown as a copy of its own tenant only', async () => {
    await bench.openCache(ROOM);
    const known = await bench.put('equal');
    await bench.touch(known);
    await bench.restart(ROOM);
    await bench.touch(await bench.put('equal', newId('tenant')));
    expect(await outcomes()).toEqual([0, 1]);
  });
});

describe('a disk that is full', () => {
  it('makes what is idle go, and leaves no half a file; smaller ones fit again', async () => {
    const [small, large] = [await bench.put(randomBytes(10 * KiB)), await bench.put(randomBytes(1_000 * KiB))];
    const files = [small, large, small];
    const { said } = await startOther({ files }, { isLimited: true });
    expect(said).toEqual({ outcomes: ['here', 'storage.full', 'here'], sizeBytes: 10 * KiB });
    expect(await bench.files()).toHaveLength(1);
  });
});
