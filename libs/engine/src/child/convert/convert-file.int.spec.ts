import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { ConvertRequest, ConvertResult } from '../../tasks/convert.task.js';
import { ConvertFixture } from '../../../test/convert-fixture.js';

describe('convert', () => {
  let fixture: ConvertFixture;
  let parquet: Buffer;

  beforeAll(async () => {
    fixture = await ConvertFixture.open();
    const { filePath } = await fixture.base.query(
      "SELECT i AS id, 'x' || i AS name, {'a': i} AS s FROM range(50000) t(i)",
    );
    parquet = await readFile(filePath);
  });
  afterAll(() => fixture.close());

  const json = (bytes: string | Uint8Array, request: Partial<ConvertRequest> = {}): Promise<ConvertResult> =>
    fixture.convert(bytes, { format: 'json', ...request });

  describe('JSON', () => {
    it.each<[string, string, unknown[][]]>([
      [
        'lines',
        '{"a":1,"b":"x"}\n{"a":2,"b":null}\n',
        [
          [1, 'x'],
          [2, null],
        ],
      ],
      [
        'an array',
        '[{"a":1,"b":[1,2]},\n {"a":2,"b":[]}]',
        [
          [1, [1, 2]],
          [2, []],
        ],
      ],
      ['one object over several lines', '{\n "a": 1,\n "b": {"c": 2}\n}\n', [[1, { c: 2 }]]],
      ['a byte order mark', '\ufeff{"a":1}\n', [[1]]],
      ['a byte order mark before an array', '\ufeff[{"a":1},\n{"a":2}]', [[1], [2]]],
      ['blank lines', '{"a":1}\n\n\n{"a":2}\n', [[1], [2]]],
      ['numbers', '[1, 2]', [[1], [2]]],
      ['different keys', '{"a":{"b":1}}\n{"a":{"c":"x"}}\n', [[{ b: 1, c: null }], [{ b: null, c: 'x' }]]],
      ['brackets and escapes in text', '{"a":"[{\\"\\\\"}\n', [['[{"\\']]],
      ['keys equal but for their case', '{"a":1,"A":2}\n', [[1, 2]]],
      ['long integers', '{"a":12345678901234567890123}\n{"a":1}\n', [['12345678901234567890123'], [1]]],
    ])('reads %s', async (_, text, rows) => {
      expect(await fixture.rowsOf(await json(text))).toEqual(rows);
    });

    it('sees a key that comes late', async () => {
      const result = await json(`${'{"a":1}\n'.repeat(30_000)}{"a":2,"late":"x"}\n`);
      expect(result.columns).toMatchObject([
        { name: 'a', nullable: false },
        { name: 'late', nullable: true },
      ]);
    });

    it.each([
      ['numbers of both signs', '{"a":5}\n{"a":-3}\n', 'BIGINT', [[5], [-3]]],
      ['such numbers in a list', '{"a":[5]}\n{"a":[-3]}\n', 'BIGINT[]', [[[5]], [[-3]]]],
      [
        'such numbers beyond BIGINT',
        '{"a":9223372036854775808}\n{"a":-3}\n',
        'HUGEINT',
        [['9223372036854775808'], [-3]],
      ],
      [
        'times in UTC',
        '{"a":"2020-01-02T03:04:05Z"}\n{"a":null}\n',
        'TIMESTAMP WITH TIME ZONE',
        [['2020-01-02T03:04:05Z'], [null]],
      ],
      [
        'times with another offset',
        '{"a":"2020-01-02T03:04:05+02:00"}\n',
        'TIMESTAMP WITH TIME ZONE',
        [['2020-01-02T01:04:05Z']],
      ],
      ['times without', '{"a":"2020-01-02T03:04:05"}\n', 'TIMESTAMP', [['2020-01-02T03:04:05']]],
    ])('types %s', async (_, text, type, rows) => {
      const result = await json(text);
      expect(result).toMatchObject({ columns: [{ name: 'a', type }], warnings: [] });
      expect(await fixture.rowsOf(result)).toEqual(rows);
    });

    it('pins types', async () => {
      const result = await json('{"a":1.5,"b":2}\n', { columns: { a: { type: 'DECIMAL', precision: 10, scale: 2 } } });
      expect(result.columns[0]?.type).toBe('DECIMAL(10,2)');
      expect(await fixture.rowsOf(result)).toEqual([[1.5, 2]]);
    });

    it.each<[string, string | Uint8Array, string, object]>([
      ['an array that is cut', '[{"a":1},\n{"a":2', 'conversion.failed', { line: 2 }],
      ['a line that is cut', '{"a":1}\n{"a":2', 'conversion.failed', { line: 2 }],
      ['a text that is cut', '{"a":1}\n{"a":"x', 'conversion.failed', { line: 2 }],
      ['a bad line', '{"a":1}\n{"a":oops}\n{"a":3}\n', 'conversion.failed', { line: 2 }],
      ['a key twice', '{"a":1,"a":2}\n', 'conversion.failed', { line: 1 }],
      ['bytes of no encoding', Buffer.from('{"a":1}\n{"a":"caf\x81"}\n', 'latin1'), 'conversion.failed', { line: 2 }],
      ['an empty array', '[]', 'conversion.no_rows', {}],
      ['5,000 levels', `${'['.repeat(5_000)}${']'.repeat(5_000)}`, 'conversion.limit', {}],
      ['a key with a NUL', '{"a\\u0000b":1}\n', 'conversion.failed', {}],
      ['a nested key with a NUL', '{"x":[{"a\\u0000b":1}]}\n', 'conversion.failed', { column_name: 'x' }],
      ['a pin that does not fit', '{"a":"x"}\n', 'conversion.failed', {}],
    ])('refuses %s', async (_, bytes, code, place) => {
      const columns = _.startsWith('a pin') ? { a: { type: 'INTEGER' } } : undefined;
      const error: unknown = await json(bytes, { columns }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code });
      expect(String(error)).not.toContain(fixture.base.folder);
      if (Object.keys(place).length > 0) expect(error).toMatchObject({ errors: [place] });
    });
  });

  describe('Parquet', () => {
    it('is written anew', async () => {
      const result = await fixture.convert(parquet, { fileName: 'x.parquet', columns: { id: { type: 'HUGEINT' } } });
      expect(result).toMatchObject({
        format: 'parquet',
        rowCount: 50_000,
        columns: [
          { name: 'id', type: 'HUGEINT', nullable: false },
          { name: 'name', type: 'VARCHAR' },
          { name: 's', type: 'STRUCT(a BIGINT)' },
        ],
      });
      expect((await fixture.rowsOf(result))[1]).toEqual([1, 'x1', { a: 1 }]);
    });

    it('refuses a pin that would change a value', async () => {
      const { filePath } = await fixture.base.query('SELECT 2.5::DOUBLE AS a');
      const pins = { columns: { a: { type: 'INTEGER' } } };
      await expect(fixture.convert(await readFile(filePath), pins)).rejects.toThrow(/"2.5" is no INTEGER/);
    });

    it.each<[string, (whole: Buffer) => Buffer]>([
      ['a cut file', (whole) => whole.subarray(0, whole.length >> 1)],
      ['a damaged footer', (whole) => Buffer.from(whole).fill(7, whole.length - 300, whole.length - 8)],
      ['damaged pages', (whole) => Buffer.from(whole).fill(9, 2_000, 30_000)],
      ['no Parquet at all', () => Buffer.from('hello')],
    ])('refuses %s', async (_, damage) => {
      const error: unknown = await fixture
        .convert(damage(parquet), { format: 'parquet' })
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'conversion.failed' });
      expect(String(error)).not.toContain(fixture.base.folder);
    });
  });

  describe('packed files', () => {
    it.each<[string, (text: Buffer) => Buffer, Partial<ConvertRequest>, string]>([
      ['gzip by name', gzipSync, { fileName: 'a.csv.gz' }, 'gzip'],
      ['zstd by name', zstdCompressSync, { fileName: 'a.csv.zst' }, 'zstd'],
      ['gzip by encoding', gzipSync, { contentType: 'text/csv; charset=utf-8', contentEncoding: 'gzip' }, 'gzip'],
      ['zstd by its bytes', zstdCompressSync, {}, 'zstd'],
      [
        'two gzip members',
        (text) => Buffer.concat([gzipSync(text.subarray(0, 6)), gzipSync(text.subarray(6))]),
        {},
        'gzip',
      ],
    ])('reads %s', async (_, pack, request, compression) => {
      const result = await fixture.convert(pack(Buffer.from('a,b\n1,x\n2,y\n')), request);
      expect(result).toMatchObject({ format: 'csv', compression });
      expect(await fixture.rowsOf(result)).toEqual([
        [1, 'x'],
        [2, 'y'],
      ]);
    });

    it('reads packed JSON and Parquet', async () => {
      expect(await fixture.convert(gzipSync('{"a":1}\n'))).toMatchObject({ format: 'json', rowCount: 1 });
      expect(await fixture.convert(zstdCompressSync(parquet))).toMatchObject({ format: 'parquet', rowCount: 50_000 });
    });

    it.each<[string, () => Uint8Array | string, Partial<ConvertRequest>, string]>([
      [
        'a gzip that is cut',
        () => gzipSync(randomBytes(9_000).toString('hex')).subarray(0, 5_000),
        {},
        'conversion.failed',
      ],
      ['a damaged gzip', () => gzipSync(randomBytes(9_000).toString('hex')).fill(7, 100, 200), {}, 'conversion.failed'],
      [
        'a zstd that is cut',
        () => zstdCompressSync(randomBytes(9_000).toString('hex')).subarray(0, 5_000),
        {},
        'conversion.failed',
      ],
      ['a file that only says gzip', () => 'a,b\n1,2\n', { fileName: 'a.csv.gz' }, 'conversion.failed'],
      ['an empty gzip', () => gzipSync(''), {}, 'conversion.no_rows'],
      [
        'a gzip bomb',
        () => gzipSync(Buffer.alloc(64 * 1024 * 1024, 'a')),
        { limits: { decompressedBytesMax: 32 * 1024 * 1024 } },
        'conversion.limit',
      ],
      ['a zip', () => Buffer.from('PK\u0003\u0004\u0014\0\0\0'), {}, 'conversion.format_unknown'],
    ])('refuses %s', async (_, bytes, request, code) => {
      await expect(fixture.convert(bytes(), request)).rejects.toMatchObject({ code });
    });
  });

  it('ends at its deadline with the code for conversions', async () => {
    const lines = `${'1234567890,abcdefghij,2020-01-01\n'.repeat(1_500_000)}`;
    await expect(fixture.convert(`a,b,c\n${lines}`, { format: 'csv', deadlineMs: 150 })).rejects.toMatchObject({
      code: 'conversion.deadline',
    });
    expect((await fixture.convert('a\n1\n', { format: 'csv' })).rowCount).toBe(1);
  });

  it('lets go of the file, whose bytes would stay on the disk otherwise', async () => {
    await fixture.convert('a\n1\n', { format: 'csv' });
    await expect(fixture.convert('a\n', { format: 'csv' })).rejects.toMatchObject({ code: 'conversion.no_rows' });
    expect(await fixture.base.stagedInputs()).toEqual([]);
  });

  it('says that memory was not enough, and goes on', async () => {
    const small = await ConvertFixture.open(256 * 1024 ** 2);
    try {
      const names = Array.from({ length: 2_000 }, (_, index) => `c${index}`).join();
      const values = Array.from({ length: 2_000 }, () => 'x'.repeat(50)).join();
      const wide = small.convert(Buffer.from(`${names}\n${`${values}\n`.repeat(500)}`), { format: 'csv' });
      await expect(wide).rejects.toMatchObject({ code: 'conversion.memory' });
      await expect(small.convert(Buffer.from('a\n1\n'), { format: 'csv' })).resolves.toMatchObject({ rowCount: 1 });
    } finally {
      await small.close();
    }
  });
});
