import { describe, expect, it } from '@jest/globals';
import { gatherParts, nextPartBytes, PART_BYTES_MIN, PARTS_MAX } from './part-plan.js';

const GiB = 1024 ** 3;
const TiB = 1024 * GiB;

describe('nextPartBytes', () => {
  it('lets 10,000 parts hold 5 TiB', () => {
    let sentBytes = 0;
    for (let part = 1; part <= PARTS_MAX; part += 1) sentBytes += nextPartBytes(sentBytes);
    expect(sentBytes).toBeGreaterThanOrEqual(5 * TiB);
  });

  it('grows with the object, and is never below what S3 takes', () => {
    expect(nextPartBytes(0)).toBe(PART_BYTES_MIN);
    expect(nextPartBytes(6 * GiB)).toBe(PART_BYTES_MIN);
    expect(nextPartBytes(50 * GiB)).toBeLessThan(42 * 1024 * 1024);
  });
});

describe('gatherParts', () => {
  it.each([
    { chunks: [], parts: [] },
    { chunks: [0, 3], parts: [3] },
    { chunks: [PART_BYTES_MIN], parts: [PART_BYTES_MIN] },
    { chunks: [PART_BYTES_MIN - 1, 2], parts: [PART_BYTES_MIN, 1] },
    { chunks: [2 * PART_BYTES_MIN + 7], parts: [PART_BYTES_MIN, PART_BYTES_MIN, 7] },
  ])('cuts chunks of $chunks bytes into parts of $parts', async ({ chunks, parts }) => {
    const sizes: number[] = [];
    for await (const part of gatherParts(zeros(chunks))) sizes.push(part.byteLength);
    expect(sizes).toEqual(parts);
  });

  it('keeps the order of the bytes', async () => {
    const parts: Buffer[] = [];
    for await (const part of gatherParts(texts(['ab', 'c', 'def']))) parts.push(part);
    expect(Buffer.concat(parts).toString()).toBe('abcdef');
  });
});

async function* zeros(sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield new Uint8Array(size);
}

async function* texts(all: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of all) yield Buffer.from(text);
}
