import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { isZstd, zstdFrames } from './zstd-frames.js';

const { ZSTD_c_checksumFlag: checksum, ZSTD_c_contentSizeFlag: contentSize } = constants;

describe('zstd frames', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'zstd-frames-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** The content of each frame. */
  async function contentsOf(bytes: Buffer): Promise<string[]> {
    const path = join(folder, randomBytes(6).toString('hex'));
    await writeFile(path, bytes);
    const contents: string[] = [];
    for await (const { start, end } of zstdFrames(path)) {
      contents.push(zstdDecompressSync(bytes.subarray(start, end)).toString('latin1'));
    }
    return contents;
  }

  const skippable = Buffer.concat([Buffer.from('5e2a4d1803000000', 'hex'), Buffer.from('abc')]);

  it.each<[string, string[], Record<number, number>]>([
    ['one', ['a,b\n'], {}],
    ['several, an empty one among them', ['a', '', 'b', 'c'], {}],
    ['with a checksum', ['a', 'b'], { [checksum]: 1 }],
    ['without their size', ['a', 'b'], { [contentSize]: 0 }],
    ['of one byte many times', ['x'.repeat(1_000_000), 'y'], {}],
    ['of many blocks', [randomBytes(1_000_000).toString('latin1'), 'end'], { [checksum]: 1 }],
    ['of sizes of each length', [10, 300, 70_000].map((length) => 'z'.repeat(length)), {}],
  ])('are found: %s', async (_, contents, params) => {
    const frames = contents.map((content) => zstdCompressSync(Buffer.from(content, 'latin1'), { params }));
    expect(await contentsOf(Buffer.concat(frames))).toEqual(contents);
    expect(await contentsOf(Buffer.concat(frames.flatMap((frame) => [skippable, frame])))).toEqual(contents);
  });

  const frame = zstdCompressSync(randomBytes(200_000), { params: { [checksum]: 1 } });
  it.each([
    ['cut by a byte', frame.subarray(0, -1)],
    ['cut in its header', frame.subarray(0, 5)],
    ['cut at the end of a block', frame.subarray(0, -4)],
    ['with garbage behind it', Buffer.concat([frame, Buffer.from('garbage')])],
    ['with a piece of a next one', Buffer.concat([frame, frame.subarray(0, 3)])],
    ['before a part to skip that is cut', Buffer.concat([frame, skippable.subarray(0, -1)])],
  ])('are refused: %s', async (_, bytes) => {
    await expect(contentsOf(bytes)).rejects.toMatchObject({ code: 'conversion.failed' });
  });

  it('are known by their first bytes', () => {
    expect([frame, skippable].map(isZstd)).toEqual([true, true]);
    expect([frame.subarray(0, 3), Buffer.from('a,b\n')].map(isZstd)).toEqual([false, false]);
  });
});
