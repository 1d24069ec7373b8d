import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import type { ConvertRequest, ConvertResult, TextEncoding } from '../../tasks/convert.task.js';
import { ConvertFixture } from '../../../test/convert-fixture.js';

const bigEndian = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();
const littleEndian = (text: string): Buffer => Buffer.from(text, 'utf16le');
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const MARK = '\ufeff';
const table = 'id,name\n1,Zoë\n2,北京 𝄞\n';
const rows = [
  [1, 'Zoë'],
  [2, '北京 𝄞'],
];

describe('convert a text', () => {
  let fixture: ConvertFixture;
  beforeAll(async () => {
    fixture = await ConvertFixture.open();
  });
  afterAll(() => fixture.close());

  const convert = (bytes: string | Uint8Array, request: Partial<ConvertRequest> = {}): Promise<ConvertResult> =>
    fixture.convert(bytes, request);

  it.each<[string, Uint8Array, TextEncoding, string[]]>([
    ['UTF-8', Buffer.from(table), 'utf-8', []],
    ['UTF-8 with its mark', Buffer.from(MARK + table), 'utf-8', []],
    ['UTF-16, little endian', littleEndian(MARK + table), 'utf-16le', []],
    ['UTF-16, big endian', bigEndian(MARK + table), 'utf-16be', []],
    ['UTF-16, little endian, without its mark', littleEndian(table), 'utf-16le', ['little endian']],
    ['UTF-16, big endian, without its mark', bigEndian(table), 'utf-16be', ['big endian']],
    ['UTF-16 in gzip', gzipSync(littleEndian(MARK + table)), 'utf-16le', []],
  ])('in %s', async (_, bytes, encoding, warned) => {
    const result = await convert(bytes);
    expect(result).toMatchObject({ format: 'csv', encoding, rowCount: 2 });
    expect(result.warnings).toEqual(warned.map((part) => expect.stringContaining(part)));
    expect(await fixture.rowsOf(result)).toEqual(rows);
  });

  it.each([
    ['CSV', 'id,name\n1,ok\n2,50 \x80 \x96 caf\xe9\n', 3],
    ['JSON on lines', '{"id":1,"name":"ok"}\n{"id":2,"name":"50 \x80 \x96 caf\xe9"}\n', 2],
    ['a JSON array', '[{"id":1,"name":"ok"},\n{"id":2,"name":"50 \x80 \x96 caf\xe9"}]', 2],
  ])('that can only be Windows-1252, as %s, and says so', async (_, text, line) => {
    const result = await convert(latin1(text));
    expect(result).toMatchObject({ encoding: 'windows-1252' });
    expect(result.warnings).toEqual([expect.stringMatching(new RegExp(`Windows-1252.*Line ${line} `))]);
    expect(await fixture.rowsOf(result)).toEqual([
      [1, 'ok'],
      [2, '50 € – café'],
    ]);
  });

  it.each(['{"id":1,"name":"Zoë"}\n{"id":2,"name":"北京 𝄞"}\n', '[{"id":1,"name":"Zoë"},\n{"id":2,"name":"北京 𝄞"}]'])(
    'in UTF-16, as JSON: %j',
    async (text) => {
      for (const bytes of [littleEndian(MARK + text), bigEndian(text)]) {
        const result = await convert(bytes, { format: 'json' });
        expect(result.encoding).toMatch(/^utf-16/);
        expect(await fixture.rowsOf(result)).toEqual(rows);
      }
    },
  );

  it('whose first other byte is far behind the first megabyte', async () => {
    const lines = `${'{"a":"some text"}\n'.repeat(200_000)}{"a":"caf\xe9"}\n`;
    const result = await convert(latin1(lines));
    expect(result).toMatchObject({ encoding: 'windows-1252', rowCount: 200_001 });
    expect(result.warnings).toEqual([expect.stringContaining('Line 200001 ')]);
    const inputs = [
      { schema: 'datasets' as const, table: 't', files: [result.files[0]?.path ?? ''], columns: result.columns },
    ];
    const sql = "SELECT count(*) FROM datasets.t WHERE a = 'café'";
    expect(await fixture.base.rows(sql, { inputs })).toEqual([[1]]);
  });

  it.each<[TextEncoding, Uint8Array, string]>([
    ['utf-8', Buffer.from('a\né\n'), 'é'],
    ['utf-16le', littleEndian('a\né\n'), 'é'],
    ['utf-16be', bigEndian('a\né\n'), 'é'],
    ['latin-1', latin1('a\n\xe9\x80\n'), 'é\u0080'],
    ['windows-1252', latin1('a\n\xe9\x80\n'), 'é€'],
    // As they are told to, though it is hardly meant.
    ['latin-1', Buffer.from('a\né\n'), 'Ã©'],
  ])('that is said to be %s', async (encoding, bytes, value) => {
    const result = await convert(bytes, { format: 'csv', options: { encoding, header: true } });
    expect(result).toMatchObject({ encoding, warnings: [] });
    expect(await fixture.rowsOf(result)).toEqual([[value]]);
  });

  it('keeps a character that goes over two pieces', async () => {
    const lines = Array.from({ length: 60_000 }, (_, index) => `${'𝄞'.repeat(10)}${index % 2 ? 'x' : ''}`);
    const result = await convert(littleEndian(`${MARK}a\n${lines.join('\n')}\n`), { format: 'csv' });
    const inputs = [
      { schema: 'datasets' as const, table: 't', files: [result.files[0]?.path ?? ''], columns: result.columns },
    ];
    const sql = "SELECT count(*), count(*) FILTER (rtrim(a, 'x') = repeat('𝄞', 10)) FROM datasets.t";
    expect(await fixture.base.rows(sql, { inputs })).toEqual([[60_000, 60_000]]);
  });

  it('with the lines of its errors as in the file', async () => {
    const ragged = littleEndian(`${MARK}a,b\n"é\n",1\n2\n`);
    await expect(convert(ragged, { format: 'csv' })).rejects.toMatchObject({
      code: 'conversion.failed',
      errors: [{ line: 4 }],
    });
    const pinned = latin1('a\n1\n\xe9\n');
    await expect(
      convert(pinned, { format: 'csv', options: { header: true }, columns: { a: { type: 'INTEGER' } } }),
    ).rejects.toMatchObject({ code: 'conversion.failed', errors: [{ line: 3, column_name: 'a', text: 'é' }] });
  });

  it.each<[string, Uint8Array, TextEncoding | undefined, number, RegExp]>([
    [
      'nearly UTF-8',
      Buffer.concat([Buffer.from('a\né\nü\n'), Buffer.of(0xe9), Buffer.from('\n')]),
      undefined,
      4,
      /2 of .* are UTF-8, 1 of/,
    ],
    ['UTF-8 with its end cut off', Buffer.from('a\nx\n北').subarray(0, -1), undefined, 3, /UTF-8/],
    ['UTF-8 of half a pair', Buffer.from([0x61, 0x0a, 0xed, 0xa0, 0x80, 0x0a]), undefined, 2, /UTF-8/],
    ['nothing that is known', latin1('a\n\x81\xe9\n'), undefined, 2, /neither UTF-8 nor Windows-1252/],
    ['not the UTF-8 that it is said to be', latin1('a\nx\n\xe9\n'), 'utf-8', 3, /not UTF-8/],
    ['not the Windows-1252 that it is said to be', latin1('a\nx\n\x81\n'), 'windows-1252', 3, /Windows-1252/],
    ['half a pair', littleEndian(`${MARK}a\nx\ny\ud834z\n`), undefined, 3, /UTF-16/],
    ['half a pair, the other way', bigEndian(`${MARK}a\nx\ny\udd1ez\n`), undefined, 3, /UTF-16/],
    [
      'half a character at its end',
      Buffer.concat([littleEndian(`${MARK}a\nx\n`), Buffer.of(0x61)]),
      undefined,
      3,
      /UTF-16/,
    ],
    ['marked as something else', littleEndian(`${MARK}a\nx\n`), 'windows-1252', 1, /byte order mark/],
    ['UTF-16 with a NUL', littleEndian(`${MARK}a\nx\0\n`), undefined, 2, /NUL/],
  ])('but not one that is %s', async (_, bytes, encoding, line, detail) => {
    const refused = convert(bytes, { format: 'csv', options: { encoding } });
    await expect(refused).rejects.toMatchObject({
      code: 'conversion.failed',
      message: expect.stringMatching(detail),
      errors: [{ line }],
    });
  });

  it('is not Parquet, which has no encoding', async () => {
    const { filePath } = await fixture.base.query('SELECT 1 AS a');
    const refused = convert(await readFile(filePath), { options: { encoding: 'utf-8' } });
    await expect(refused).rejects.toMatchObject({
      code: 'request.invalid',
      message: 'The option "encoding" is for CSV and JSON; the file is Parquet.',
    });
  });
});
