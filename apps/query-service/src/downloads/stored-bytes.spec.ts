import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { storedBytes } from './stored-bytes.js';

const pace = { idleMaxMs: 60_000, bytesPerSecondMin: 1 };

/** A stream of the store's that remembers whether somebody has closed it. */
class Chunks {
  isClosed = false;

  constructor(
    private readonly texts: readonly string[],
    private readonly error?: Error,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (const text of this.texts) yield Buffer.from(text);
      if (this.error) throw this.error;
    } finally {
      this.isClosed = true;
    }
  }
}

describe('stored bytes', () => {
  it('end well after as many as were announced', async () => {
    const chunks = new Chunks(['ab', 'c']);
    expect((await buffer(await storedBytes(chunks, { sizeBytes: 3, pace }))).toString()).toBe('abc');
    expect(chunks.isClosed).toBe(true);
    expect(await buffer(await storedBytes(new Chunks([]), { sizeBytes: 0, pace }))).toHaveLength(0);
  });

  it.each([
    ['none', []],
    ['fewer', ['ab']],
    ['more in another piece', ['ab', 'c', 'd']],
    ['more in the same piece', ['abcd']],
  ])('do not end well when there are %s', async (_, texts) => {
    const body = await storedBytes(new Chunks(texts), { sizeBytes: 3, pace });
    await expect(buffer(body)).rejects.toMatchObject({ code: 'result.corrupt' });
  });

  it('are never more than were announced: what follows would be read as another answer', async () => {
    const body = await storedBytes(new Chunks(['ab', 'cd']), { sizeBytes: 3, pace });
    const passed: Buffer[] = [];
    body.on('data', (bytes: Buffer) => passed.push(bytes));
    await new Promise((resolve) => body.once('error', resolve));
    expect(Buffer.concat(passed).length).toBeLessThanOrEqual(3);
  });

  it('tell an error that comes before the first of them, and pass on one that comes later', async () => {
    const error = new Error('away');
    await expect(storedBytes(new Chunks([], error), { sizeBytes: 3, pace })).rejects.toBe(error);
    await expect(buffer(await storedBytes(new Chunks(['ab'], error), { sizeBytes: 3, pace }))).rejects.toBe(error);
  });

  it.each([0, 1])('close their source when nobody wants them after %d pieces', async (pieces) => {
    const chunks = new Chunks(['ab', 'cd', 'ef']);
    const body = await storedBytes(chunks, { sizeBytes: 6, pace });
    for (let read = 0; read < pieces; read += 1) body.read(2);
    body.destroy();
    await new Promise((resolve) => body.once('close', resolve));
    expect(chunks.isClosed).toBe(true);
  });

  it.each([
    ['none of them', 0],
    ['not the last of them', 1],
  ])('end with an error when their reader takes %s', async (_, pieces) => {
    const chunks = new Chunks(['ab', 'cd']);
    const body = await storedBytes(chunks, { sizeBytes: 4, pace: { idleMaxMs: 50, bytesPerSecondMin: 1_000 } });
    const closed = new Promise((resolve) => body.once('error', resolve));
    await new Promise((resolve) => body.once('readable', resolve));
    for (let read = 0; read < pieces; read += 1) body.read(1);
    expect(await closed).toMatchObject({ code: 'download.stalled' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(chunks.isClosed).toBe(true);
  });
});
