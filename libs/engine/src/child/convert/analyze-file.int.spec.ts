import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { AnalyzeAnswer, AnalyzeRequest } from '../../tasks/analyze.task.js';
import { ConvertFixture } from '../../../test/convert-fixture.js';
import { LOOKED_BYTES_MAX } from './file-look.js';

const MiB = 1024 ** 2;

describe('analyze', () => {
  let fixture: ConvertFixture;
  beforeAll(async () => {
    fixture = await ConvertFixture.open();
  });
  afterAll(() => fixture.close());

  async function analyze(bytes: string | Uint8Array, request: Partial<AnalyzeRequest> = {}): Promise<AnalyzeAnswer> {
    const file = join(fixture.base.folder, randomBytes(6).toString('hex'));
    await writeFile(file, bytes);
    return fixture.base.pool.run(
      { kind: 'analyze', file, sizeBytes: Buffer.byteLength(bytes), rowsMax: 100, answerBytesMax: MiB, ...request },
      { tenantId: 'tenant-a', deadlineMs: 50_000 },
    );
  }

  const parquetOf = async (sql: string): Promise<Buffer> => readFile((await fixture.base.query(sql)).filePath);

  it.each<[string, () => string | Uint8Array | Promise<Uint8Array>, Partial<AnalyzeRequest>]>([
    ['CSV', () => 'id;name\n1;Anna\n2;\n', {}],
    ['CSV with options and pins', () => 'x\n\na~b\n1~2,5\n', { options: { skip: 2, delimiter: '~', decimal_separator: ',' }, columns: { b: { type: 'DECIMAL(9,2)' } } }], // prettier-ignore
    ['CSV with codes behind its sample', () => `a,b\n${'1,2\n'.repeat(30_000)}007,2\n`, { format: 'csv' }],
    ['CSV with names that occur twice', () => 'a,A,\n1,2,3\n', { format: 'csv' }],
    ['UTF-16', () => Buffer.from('\ufeffid,name\n1,Zoë\n', 'utf16le'), {}],
    ['Windows-1252', () => Buffer.from('id,name\n1,caf\xe9\n', 'latin1'), {}],
    ['JSON on lines', () => '{"a":1,"b":[1,2]}\n{"a":2,"c":"2020-02-29"}\n', {}],
    ['a JSON array in gzip', () => gzipSync('[{"a":12345678901234567890},{"a":1}]'), {}],
    ['CSV in zstd', () => zstdCompressSync('a,b\n1,x\n'), {}],
    ['Parquet', () => parquetOf("SELECT i AS id, 'x' || i AS name FROM range(50) t(i)"), {}],
    ['Parquet in gzip', async () => gzipSync(await parquetOf('SELECT 1::HUGEINT AS h, [1, 2] AS l')), {}],
  ])('says what a conversion does: %s', async (_, make, request) => {
    const bytes = await make();
    const { rowsJson, rowsReturned, isComplete, rowEstimate, ...found } = await analyze(bytes, request);
    const converted = await fixture.convert(bytes, request);
    const { files: _files, profile: _profile, ...said } = converted;
    expect(found).toEqual(said);
    const rows = await fixture.rowsOf(converted);
    expect({ isComplete, rowsReturned, rowEstimate, rows: JSON.parse(rowsJson) as unknown }).toEqual({
      ...{ isComplete: true, rowsReturned: rows.length, rowEstimate: converted.rowCount, rows },
    });
  });

  it.each<[string, string | Uint8Array, Partial<AnalyzeRequest>]>([
    ['an empty file', '', { format: 'csv' }],
    ['only a header', 'a,b\n', { format: 'csv' }],
    ['a short row', 'a,b,c\n1,2,3\n4,5\n', { format: 'csv' }],
    ['a pin that does not fit', 'a\n1\nx\n', { format: 'csv', columns: { a: { type: 'INTEGER' } } }],
    ['a pin of no column', 'a\n1\n', { format: 'csv', columns: { b: { type: 'INTEGER' } } }],
    ['a pin of no type', 'a\n1\n', { format: 'csv', columns: { a: { type: 'NOPE' } } }],
    ['an option of another format', '{"a":1}\n', { options: { delimiter: ';' } }],
    ['JSON that is cut', '[{"a":1},\n{"a":2', { format: 'json' }],
    ['a gzip that is cut', gzipSync(randomBytes(9_000).toString('hex')).subarray(0, 5_000), {}],
    ['a zstd that is cut', zstdCompressSync(randomBytes(9_000).toString('hex')).subarray(0, 5_000), {}],
    ['no gzip at all', 'a,b\n1,2\n', { fileName: 'a.csv.gz' }],
    ['damaged Parquet', Buffer.from('PAR1 and so on'), {}],
    ['bytes of no format', Buffer.from('PK\u0003\u0004\u0014\0\0\0'), {}],
    ['broken UTF-8', Buffer.concat([Buffer.from('a\né\n'), Buffer.of(0xe9, 0x0a)]), { format: 'csv' }],
  ])('refuses what a conversion refuses, with the same words: %s', async (_, bytes, request) => {
    const refusal = (reason: unknown): object => {
      const { code, message, errors } = reason as { code: string; message: string; errors?: unknown };
      return { code, message, errors };
    };
    const analysis = await analyze(bytes, request).then(() => 'nothing', refusal);
    expect(analysis).toEqual(await fixture.convert(bytes, request).then(() => 'something', refusal));
    expect(analysis).toMatchObject({ code: expect.stringMatching(/^(conversion|request)\./) });
  });

  describe('looks at the beginning of a large file only', () => {
    const rows = Math.ceil((1.2 * LOOKED_BYTES_MAX) / 100);
    const lines = (make: (index: number) => string): string =>
      Array.from({ length: rows }, (_, index) => make(index)).join('');
    // As long as 100 bytes each, with a quoted line end in every one.
    const csv = (index: number): string => `${String(index).padStart(9, '1')},"a\n""${'x'.repeat(82)}""",y\n`;
    const json = (index: number): string => `{"n":${String(index).padStart(9, '1')},"t":"${'x'.repeat(78)}"}`;

    it.each<[string, () => string | Uint8Array]>([
      ['CSV', () => `n,t,c\n${lines(csv)}`],
      ['CSV in gzip', () => gzipSync(`n,t,c\n${lines(csv)}`)],
      ['CSV in zstd', () => zstdCompressSync(`n,t,c\n${lines(csv)}`)],
      ['CSV in Latin-1', () => Buffer.from(`n,t,\xe9\n${lines(csv)}`, 'latin1')],
      ['JSON on lines', () => lines((index) => `${json(index)}\n`)],
      ['a JSON array in one line', () => `[${lines((index) => `${index > 0 ? ',' : ''}${json(index)}`)}]`],
    ])('of %s', async (_, make) => {
      const bytes = make();
      const found = await analyze(bytes);
      expect(found).toMatchObject({ isComplete: false, rowCount: null, rowsReturned: 100 });
      expect(found.columns.slice(0, 2).map(({ name, type }) => `${name} ${type}`)).toEqual(['n BIGINT', 't VARCHAR']);
      // Of what is packed a part is in the buffers of whoever unpacks it.
      expect(Math.abs(found.rowEstimate / rows - 1)).toBeLessThan(found.compression === 'none' ? 0.1 : 0.5);
    });

    it('of JSON with a path to its records, of which it finds the end', async () => {
      const list = lines((index) => `${index > 0 ? ',' : ''}${json(index)}`);
      const found = await analyze(`{"data":{"items":[${list}]},"n":1}`, { options: { records_path: 'data.items' } });
      expect(found).toMatchObject({ isComplete: false, columns: [{ name: 'n', type: 'BIGINT' }, { name: 't' }] });
      expect(Math.abs(found.rowEstimate / rows - 1)).toBeLessThan(0.1);
    });

    it('of UTF-16', async () => {
      const found = await analyze(Buffer.from(`\ufeffn,t,é\n${lines(csv)}`, 'utf16le'));
      expect(found).toMatchObject({ encoding: 'utf-16le', isComplete: false, columns: [{}, {}, { name: 'é' }] });
      expect(Math.abs(found.rowEstimate / rows - 1)).toBeLessThan(0.2);
    });

    it.each<[string, (bytes: Buffer) => Buffer]>([
      ['as it is', (bytes) => bytes],
      ['in gzip', gzipSync],
      ['in zstd', zstdCompressSync],
    ])('of which it has no more: %s', async (_, pack) => {
      // What does not shrink, so that the part is one of the packed file, too.
      const packed = pack(
        Buffer.from(
          `t\n${randomBytes(1.5 * MiB)
            .toString('hex')
            .replaceAll(/.{60}/g, '$&\n')}`,
        ),
      );
      const found = await analyze(packed.subarray(0, MiB), { format: 'csv', sizeBytes: packed.length });
      expect(found).toMatchObject({ isComplete: false, columns: [{ name: 't', type: 'VARCHAR' }] });
      expect(Math.abs(found.rowEstimate / ((3.05 * MiB) / 61) - 1)).toBeLessThan(0.2);
    });
  });

  it('does not see what is wrong behind the beginning, and says that it has not looked', async () => {
    const bytes = `a,b\n${'1,2\n'.repeat(5 * MiB)}3\n`;
    expect(await analyze(bytes)).toMatchObject({
      isComplete: false,
      columns: [{ type: 'BIGINT' }, { type: 'BIGINT' }],
    });
    await expect(fixture.convert(bytes)).rejects.toMatchObject({ code: 'conversion.failed' });
  });

  it('says when the first row is longer than what is looked at', async () => {
    const bytes = `{"a":"${'x'.repeat(LOOKED_BYTES_MAX + MiB)}"}\n`;
    await expect(analyze(bytes)).rejects.toMatchObject({ code: 'conversion.limit' });
  });

  it('does not say that there are no rows when it has only not come so far', async () => {
    const bytes = 'a,b\n'.repeat(5 * MiB);
    const request = { format: 'csv', options: { skip: 5_000_000 } } as const;
    await expect(analyze(bytes, request)).rejects.toMatchObject({ code: 'conversion.limit' });
    await expect(fixture.convert(bytes, request)).resolves.toMatchObject({ format: 'csv' });
  });

  it('reads the first rows of Parquet, and the number of all in its footer', async () => {
    const parquet = await parquetOf(
      'SELECT i AS id, CASE WHEN i > 1000 THEN NULL ELSE i END AS n FROM range(200000) t(i)',
    );
    const pins = { columns: { id: { type: 'HUGEINT' } } };
    expect(await analyze(parquet, { ...pins, rowsMax: 2 })).toMatchObject({
      format: 'parquet',
      encoding: undefined,
      isComplete: false,
      rowCount: 200_000,
      rowEstimate: 200_000,
      rowsJson: '[[0,0],[1,1]]',
      columns: [
        { name: 'id', type: 'HUGEINT' },
        { name: 'n', type: 'BIGINT' },
      ],
    });
  });

  it('shows no more than it may', async () => {
    const text = `a\n${'x'.repeat(1_000)}\n`.repeat(50);
    expect(await analyze(text, { format: 'csv', rowsMax: 5 })).toMatchObject({ rowsReturned: 5, rowCount: 99 });
    const { rowsJson, rowsReturned } = await analyze(text, { format: 'csv', answerBytesMax: 5_000 });
    expect(rowsJson.length).toBeLessThanOrEqual(5_000);
    expect(rowsReturned).toBeLessThan(15);
  });

  it('finds a dialect that can be given as options', async () => {
    const text = "# made by hand\n\n1;'x;y'\n2;z\n";
    const options = { quote: "'", comment: '#', header: false, skip: 2 };
    const { dialect, columns } = await analyze(text, { format: 'csv', options });
    expect(dialect).toMatchObject({ delimiter: ';', ...options });
    expect(await analyze(text, { format: 'csv', options: dialect })).toMatchObject({ dialect, columns });
  });

  it('leaves nothing behind', async () => {
    await analyze(gzipSync(`a,b\n${'1,2\n'.repeat(5 * MiB)}`));
    await analyze('a\n', { format: 'csv' }).catch(() => undefined);
    expect(await fixture.base.stagedInputs()).toEqual([]);
    expect(await fixture.base.scratchFiles()).toEqual([]);
  });
});
