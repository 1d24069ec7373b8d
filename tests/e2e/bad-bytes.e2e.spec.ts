import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Analyst, type Reading, type SentFile } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest } from './harness/millrace.js';
import { problemOf } from './harness/problems.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/flights-2001.parquet', import.meta.url));
const csv = 'text/csv';
const parquet = 'application/vnd.apache.parquet';
const bytesOf = (...numbers: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(numbers);
const join = (...parts: (string | Uint8Array)[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array))));
const table = Array.from({ length: 3_000 }, (_, index) => `${index},${(index * 7_919) % 977}\n`).join('');

describe('a file that is no table', () => {
  let millrace: MillraceUnderTest;
  let analyst: Analyst;
  let flights: Uint8Array<ArrayBuffer>;

  beforeAll(async () => {
    millrace = await startMillrace();
    analyst = new Analyst((await millrace.newTenant()).asAdmin);
    flights = Uint8Array.from(await readFile(EXAMPLE));
  });
  afterAll(() => millrace.stop());

  /** The problem of a file, once it is sure that the upload can still be used and says the same. */
  async function refused(file: SentFile, reading?: Reading) {
    const { problem, upload } = await analyst.refusalOf(file, reading);
    expect(upload).toMatchObject({
      ...{ status: 'pending', consumed_at: null },
      last_error: { code: problem.code, detail: problem.detail },
    });
    expect(problem.retryable).toBe(false);
    return problem;
  }

  /** The example with some of its bytes overwritten. */
  function damagedFlights(change: (bytes: Buffer) => void): Uint8Array<ArrayBuffer> {
    const bytes = Uint8Array.from(flights);
    change(Buffer.from(bytes.buffer));
    return bytes;
  }

  it('is refused as an upload when it has no bytes', async () => {
    await expect(problemOf(analyst.upload({ bytes: '', type: csv }))).resolves.toMatchObject({
      ...{ status: 400, code: 'upload.empty' },
    });
  });

  it.each([
    ['only a header', 'a,b'],
    ['only a header and a line end', 'a,b\r\n'],
    ['only a header and empty lines', 'a,b\n\n\n'],
    ['only a byte order mark', '\ufeff'],
    ['only spaces and line ends', '  \n \n\t\r\n'],
    ['one line end', '\n'],
    ['an empty gzip', gzipSync('')],
    ['an empty zstd', zstdCompressSync('')],
  ])('has no rows: %s', async (_, content) => {
    const bytes = Uint8Array.from(Buffer.from(content as Uint8Array));
    expect(await refused({ bytes, type: csv })).toMatchObject({ status: 400, code: 'conversion.no_rows' });
  });

  it.each<[string, Uint8Array<ArrayBuffer>, number]>([
    ['an ELF program', join(bytesOf(0x7f), 'ELF', bytesOf(2, 1, 1), new Uint8Array(200)), 1],
    ['a PNG picture', join(bytesOf(0x89), 'PNG\r\n', bytesOf(0x1a), '\n', bytesOf(0, 0, 0, 13), 'IHDR'), 3],
    ['a NUL byte in a field', join('id,name\n1,x\n2,y', bytesOf(0), 'z\n3,w\n'), 3],
    ['a byte of Latin-1 among UTF-8', join('id,name\n1,café\n2,caf', bytesOf(0xe9), '\n3,x\n'), 3],
    ['half a character of UTF-16', join(Buffer.from('\ufeffid,name\n1,x\n2,y', 'utf16le'), bytesOf(0x33)), 3],
    ['a character that is cut off at the end', join('id,name\n1,x\n2,', bytesOf(0xe2, 0x82)), 3],
    ['half a surrogate pair as UTF-8', join('id,name\n1,', bytesOf(0xed, 0xa0, 0x80), '\n'), 2],
  ])('called .csv: %s', async (_, bytes, line) => {
    const problem = await refused({ bytes, type: csv, name: 'data.csv' });
    expect(problem).toMatchObject({ status: 422, code: 'conversion.failed', errors: [{ line }] });
    expect(problem.detail).toMatch(/NUL byte|UTF-8|UTF-16/);
  });

  it('finds the line of bad bytes far behind the first megabyte', async () => {
    const bytes = join('id,name\n', '1,some name\n'.repeat(200_000), bytesOf(0x32, 0x2c, 0x9d, 0x0a), '3,x\n');
    expect(await refused({ bytes, type: csv })).toMatchObject({
      code: 'conversion.failed',
      errors: [{ line: 200_002 }],
    });
  });

  it.each<[string, SentFile]>([
    ['a gzip that is cut', { bytes: join(gzipSync(table).subarray(0, 4_000)), encoding: 'gzip' }],
    ['a gzip without its checksum', { bytes: join(gzipSync(table).subarray(0, -4)) }],
    ['a gzip with a wrong checksum', { bytes: join(gzipSync(table).subarray(0, -8), new Uint8Array(8)) }],
    ['garbage behind the magic of gzip', { bytes: join(bytesOf(0x1f, 0x8b), new Uint8Array(100).fill(7)) }],
    ['garbage behind a gzip', { bytes: join(gzipSync(table), 'garbage') }],
    ['a zstd that is cut', { bytes: join(zstdCompressSync(table).subarray(0, -3)), encoding: 'zstd' }],
    ['garbage behind the magic of zstd', { bytes: join(bytesOf(0x28, 0xb5, 0x2f, 0xfd), new Uint8Array(100).fill(7)) }],
    ['text that is said to be gzip', { bytes: table, encoding: 'gzip' }],
    ['text that is said to be zstd', { bytes: table, encoding: 'zstd' }],
    ['text whose name says gzip', { bytes: table, name: 'data.csv.gz' }],
  ])('is packed badly: %s', async (_, file) => {
    const problem = await refused({ type: csv, ...file });
    expect(problem).toMatchObject({ status: 422, code: 'conversion.failed' });
    expect(problem.detail).toMatch(/gzip|zstd/);
  });

  it('is a gzip within a gzip', async () => {
    const bytes = join(gzipSync(gzipSync(table)));
    expect(await refused({ bytes, type: csv })).toMatchObject({ status: 422, code: 'conversion.failed' });
  });

  it('is a bomb: a line of gzip that grows a thousandfold', async () => {
    const bytes = join(gzipSync(Buffer.alloc(64 * 1024 * 1024, 'x')));
    expect(bytes.length).toBeLessThan(70_000);
    expect(await refused({ bytes, type: csv })).toMatchObject({ status: 422, code: 'conversion.limit' });
  });

  it.each<[string, () => Uint8Array<ArrayBuffer>]>([
    ['cut at the end', () => flights.slice(0, -100)],
    ['cut in half', () => flights.slice(0, flights.length / 2)],
    ['nothing but its magic', () => join('PAR1')],
    ['its magic twice', () => join('PAR1PAR1')],
    ['a footer of garbage', () => damagedFlights((bytes) => bytes.fill(0xaa, bytes.length - 300, bytes.length - 100))],
    [
      'a length of the footer beyond the file',
      () => damagedFlights((bytes) => bytes.writeUInt32LE(1 << 30, bytes.length - 8)),
    ],
    ['pages of garbage', () => damagedFlights((bytes) => bytes.fill(0x55, 5_000, 9_000))],
    ['a CSV', () => join('a,b\n1,2\n')],
  ])('is called Parquet: %s', async (_, make) => {
    const problem = await refused({ bytes: make(), type: parquet });
    expect(problem).toMatchObject({ status: 422, code: 'conversion.failed' });
    expect(problem.detail).toContain('Parquet');
    // How the file is called on our disk is nobody's business.
    expect(JSON.stringify(problem)).not.toMatch(/[0-9a-f]{32}|\/tmp\//);
  });

  it('has bytes of no known format', async () => {
    const bytes = join(bytesOf(0x7f), 'ELF', bytesOf(2, 1, 1), new Uint8Array(200));
    expect(await refused({ bytes })).toMatchObject({ status: 422, code: 'conversion.format_unknown' });
  });

  it('is read in the format that was said, and can be tried again in its own', async () => {
    for (const [bytes, wrong, right] of [
      ['a,b\n1,2\n', 'parquet', 'csv'],
      ['a,b\n1,2\n', 'json', 'csv'],
      ['{"a":1,"b":2}\n', 'parquet', 'json'],
      [flights, 'csv', 'parquet'],
      [flights, 'json', 'parquet'],
    ] as const) {
      const upload = await analyst.upload({ bytes });
      const problem = await problemOf(analyst.convert(upload, { format: wrong }));
      expect([wrong, problem.status, problem.code]).toEqual([wrong, 422, 'conversion.failed']);
      const { row_count: rowCount } = await analyst.convert(upload, { format: right });
      expect(rowCount).toBe(bytes === flights ? 40_000 : 1);
      const after = await analyst.client.call('file.get', { path: { id: upload.id } });
      expect(after.body).toMatchObject({ status: 'consumed', last_error: null });
    }
  });
});
