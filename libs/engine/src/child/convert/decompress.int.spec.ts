import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_CONVERT_LIMITS } from '../../tasks/convert.task.js';
import { decompress } from './decompress.js';
import { DiskReserve, lookAtDiskOf, type LookAtDisk } from './disk-reserve.js';

const MiB = 1024 ** 2;
const GiB = 1024 * MiB;
const UNPACKED_BYTES = 160 * MiB;

describe('decompress', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-unpack-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const packed = { gzip: gzipSync, zstd: zstdCompressSync };

  const unpack = async (compression: 'gzip' | 'zstd', look: LookAtDisk, isOfLines = false): Promise<string> => {
    const source = join(folder, 'packed');
    const target = join(folder, 'unpacked');
    const bytes = packed[compression](Buffer.alloc(UNPACKED_BYTES, 'a'));
    await writeFile(source, bytes);
    const limits = { ...DEFAULT_CONVERT_LIMITS, compressionRatioMax: 1_000_000 };
    const { signal } = new AbortController();
    const reserve = new DiskReserve(look);
    await decompress({
      compression,
      source,
      sourceBytes: bytes.length,
      target,
      limits,
      reserve,
      signal,
      isOfLines: () => isOfLines,
    });
    return target;
  };

  it.each(['gzip', 'zstd'] as const)('looks at the disk while it unpacks %s', async (compression) => {
    const target = await unpack(compression, lookAtDiskOf(folder));
    expect((await stat(target)).size).toBe(UNPACKED_BYTES);
  });

  it.each(['gzip', 'zstd'] as const)('ends before %s has filled the disk, and leaves nothing', async (compression) => {
    // A disk of 20 GiB, of which 1 GiB has to stay free, and on which somebody else writes, too.
    const free = [1.2 * GiB, 1.1 * GiB, 1.01 * GiB];
    const look: LookAtDisk = async () => ({ totalBytes: 20 * GiB, freeBytes: free.shift() ?? 0 });
    await expect(unpack(compression, look)).rejects.toMatchObject({ code: 'storage.full' });
    expect(await readdir(folder)).toEqual(['packed']);
    expect(free).toEqual([]);
  });

  it.each(['gzip', 'zstd'] as const)(
    'ends at a line of %s that is too long, and leaves nothing',
    async (compression) => {
      const look = lookAtDiskOf(folder);
      await expect(unpack(compression, look, true)).rejects.toMatchObject({
        code: 'conversion.limit',
        message: 'A line is longer than 16777216 bytes.',
      });
      expect(await readdir(folder)).toEqual(['packed']);
    },
  );

  it('does not begin without room', async () => {
    const look: LookAtDisk = async () => ({ totalBytes: 20 * GiB, freeBytes: 1 * GiB });
    await expect(unpack('gzip', look)).rejects.toMatchObject({ code: 'storage.full' });
    expect(await readdir(folder)).toEqual(['packed']);
  });
});
