import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { meterBytes } from './meter-bytes.js';

async function drain(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('meterBytes', () => {
  it('counts and hashes what streams by', async () => {
    const bytes = meterBytes(Readable.from([Buffer.from('ab'), Buffer.from('c')]), { bytesMax: 3 });
    expect((await drain(bytes)).toString()).toBe('abc');
    expect(bytes.result()).toEqual({
      sizeBytes: 3,
      contentHash: createHash('sha256').update('abc').digest('hex'),
    });
  });

  it('knows the hash of nothing', async () => {
    const bytes = meterBytes(Readable.from([]));
    await drain(bytes);
    expect(bytes.result()).toEqual({
      sizeBytes: 0,
      contentHash: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    });
  });

  it('stops at the bound, and ends its source', async () => {
    const source = Readable.from([Buffer.from('ab'), Buffer.from('cd'), Buffer.from('ef')]);
    const bytes = meterBytes(source, { bytesMax: 3 });
    await expect(drain(bytes)).rejects.toMatchObject({ code: 'upload.too_large' });
    expect(source.destroyed).toBe(true);
    expect(() => bytes.result()).toThrow();
  });

  it('has no result before the end', async () => {
    const bytes = meterBytes(Readable.from([Buffer.from('ab')]));
    expect(() => bytes.result()).toThrow();
    for await (const _ of bytes) expect(() => bytes.result()).toThrow();
    expect(bytes.result().sizeBytes).toBe(2);
  });

  it('passes an error of its source on', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
      throw new Error('gone');
    }
    await expect(drain(meterBytes(broken()))).rejects.toThrow('gone');
  });
});
