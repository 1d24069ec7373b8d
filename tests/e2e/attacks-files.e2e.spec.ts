import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SentFile } from './harness/analyst.js';
import { Siege } from './harness/siege.js';

/** Several attempts of a conversion, on a machine that is busy with other things. */
const TEST_MAX_MS = 180_000;
const fixture = async (path: string): Promise<Uint8Array<ArrayBuffer>> =>
  Uint8Array.from(await readFile(fileURLToPath(new URL(path, import.meta.url))));
const parquet = 'application/vnd.apache.parquet';

describe('an attack by a file', () => {
  let siege: Siege;

  beforeAll(async () => {
    siege = await Siege.start();
  });
  afterAll(() => siege.stop());

  const refusal = async (file: SentFile) => {
    const { problem, upload } = await siege.survive(() => siege.attacker.refusalOf(file));
    expect(upload).toMatchObject({ status: 'pending', last_error: { code: problem.code } });
    return problem;
  };

  it(
    'ends in conversion.limit: a Parquet file of 1 kB with 5 GB of text',
    async () => {
      // COPY (SELECT repeat('x', 100000) AS s FROM range(50000)) TO … (COMPRESSION zstd, ROW_GROUP_SIZE 60000, …)
      const bytes = await fixture('./fixtures/bomb.parquet');
      expect(bytes.length).toBeLessThan(2_000);
      expect(await refusal({ bytes, type: parquet })).toMatchObject({ status: 422, code: 'conversion.limit' });
    },
    TEST_MAX_MS,
  );

  it(
    'ends in conversion.limit: a gzip of 500 kB with one line of 512 MB',
    async () => {
      const bytes = Uint8Array.from(gzipSync(Buffer.alloc(512 * 1024 * 1024, 'x')));
      expect(bytes.length).toBeLessThan(530_000);
      expect(await refusal({ bytes, type: 'text/csv' })).toMatchObject({ status: 422, code: 'conversion.limit' });
    },
    TEST_MAX_MS,
  );

  it.each<[string, string, string]>([
    ['CSV', 'text/csv', `${'a,'.repeat(59_999)}b\n${'1,'.repeat(59_999)}2\n`],
    ['JSON', 'application/x-ndjson', `{${Array.from({ length: 60_000 }, (_, n) => `"c${n}":1`).join(',')}}\n`],
  ])(
    'ends in conversion.limit: 60,000 columns of %s',
    async (_, type, bytes) => {
      expect(await refusal({ bytes, type })).toMatchObject({ status: 422, code: 'conversion.limit' });
    },
    TEST_MAX_MS,
  );

  it.each<[string, (bytes: Buffer) => unknown]>([
    ['of garbage', (bytes) => bytes.fill(0xaa, bytes.length - 300, bytes.length - 100)],
    ['of zeroes', (bytes) => bytes.fill(0, bytes.length - 300, bytes.length - 8)],
    ['longer than the file', (bytes) => bytes.writeUInt32LE(0x7fff_ffff, bytes.length - 8)],
    ['of no length', (bytes) => bytes.writeUInt32LE(0, bytes.length - 8)],
  ])('ends in conversion.failed: a Parquet file with a footer %s', async (_, damage) => {
    const bytes = await fixture('../../examples/flights-2001.parquet');
    damage(Buffer.from(bytes.buffer));
    expect(await refusal({ bytes, type: parquet })).toMatchObject({ status: 422, code: 'conversion.failed' });
  });

  it.each<[string, string]>([
    ['lists', `${'['.repeat(5_000)}1${']'.repeat(5_000)}`],
    ['objects', `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`],
  ])('ends in conversion.limit: JSON with 5,000 levels of %s', async (_, bytes) => {
    expect(await refusal({ bytes, type: 'application/json' })).toMatchObject({ status: 422, code: 'conversion.limit' });
  });
});
