import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ConvertRequest, ConvertResult } from '../../tasks/convert.task.js';
import { ConvertFixture } from '../../../test/convert-fixture.js';

describe('convert CSV', () => {
  let fixture: ConvertFixture;
  beforeAll(async () => {
    fixture = await ConvertFixture.open();
  });
  afterAll(() => fixture.close());

  const csv = (bytes: string | Uint8Array, request: Partial<ConvertRequest> = {}): Promise<ConvertResult> =>
    fixture.convert(bytes, { format: 'csv', ...request });

  it('finds types, header and dialect', async () => {
    const result = await csv('id;name;when\n1;Anna;2020-02-29\n2;;2020-03-01\n');
    expect(result).toMatchObject({
      format: 'csv',
      compression: 'none',
      dialect: { delimiter: ';', quote: '"', header: true, skip: 0 },
      columns: [
        { name: 'id', type: 'BIGINT', nullable: false },
        { name: 'name', type: 'VARCHAR', nullable: true },
        { name: 'when', type: 'DATE', nullable: false },
      ],
      rowCount: 2,
      warnings: [],
    });
    expect(result.files).toMatchObject([{ rowCount: 2 }]);
    expect(await fixture.rowsOf(result)).toEqual([
      [1, 'Anna', '2020-02-29'],
      [2, null, '2020-03-01'],
    ]);
  });

  it.each<[string, string | Uint8Array, Partial<ConvertRequest>, unknown[][]]>([
    [
      'a byte order mark and CRLF',
      '\ufeffa,b\r\n1,x\r\n2,y\r\n',
      {},
      [
        [1, 'x'],
        [2, 'y'],
      ],
    ],
    ['tabs', 'a\tb\n1\tx\n', {}, [[1, 'x']]],
    ['pipes', 'a|b\n1|x\n', {}, [[1, 'x']]],
    [
      'quotes, line ends and delimiters in values',
      'a,b\n"x,1","y""z"\n"l1\nl2",q\n',
      {},
      [
        ['x,1', 'y"z'],
        ['l1\nl2', 'q'],
      ],
    ],
    [
      'CRLF with LF in a value',
      'a,b\r\n1,"x\ny"\r\n2,z\r\n',
      {},
      [
        [1, 'x\ny'],
        [2, 'z'],
      ],
    ],
    ['escapes with a backslash', 'a,b\n1,"x \\"q\\" y"\n', {}, [[1, 'x "q" y']]],
    [
      'no header',
      '1,2\n3,4\n',
      {},
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['a header over text', 'name,city\nanna,bern\n', {}, [['anna', 'bern']]],
    [
      'a header that is said to be none',
      'name,city\nanna,bern\n',
      { options: { header: false } },
      [
        ['name', 'city'],
        ['anna', 'bern'],
      ],
    ],
    ['one column', 'name\nA, B\nC\n', {}, [['A, B'], ['C']]],
    ['an empty line in one column', 'a\n1\n\n2\n', {}, [[1], [null], [2]]],
    ['a delimiter of its own', 'a~b\n1~x\n', { options: { delimiter: '~' } }, [[1, 'x']]],
    ['a quote of its own', "a,b\n1,'x,y'\n", { options: { quote: "'" } }, [[1, 'x,y']]],
    ['lines to skip', 'Report\n\na,b\n1,2\n', { options: { skip: 2 } }, [[1, 2]]],
    [
      'comments',
      '# hi\na,b\n1,2\n# ho\n3,4\n',
      { options: { comment: '#' } },
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      'texts for NULL',
      'a,b\n1,NA\n,x\n',
      { options: { null_strings: ['NA'] } },
      [
        [1, null],
        [null, 'x'],
      ],
    ],
    [
      'formats of its own',
      'd;t;n\n31.12.2020;31.12.2020 10:00;1,5\n',
      { options: { date_format: '%d.%m.%Y', timestamp_format: '%d.%m.%Y %H:%M', decimal_separator: ',' } },
      [['2020-12-31', '2020-12-31T10:00:00', 1.5]],
    ],
    [
      'blank lines',
      '\n\na,b\n1,2\n\n3,4\n\n',
      {},
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['no line end at the end', 'a,b\n1,2', {}, [[1, 2]]],
    ['leading zeros', 'a\n007\n010\n', {}, [['007'], ['010']]],
    ['a quoted value behind the sample', `a,b\n${'x,1\n'.repeat(5)}`, {}, Array.from({ length: 5 }, () => ['x', 1])],
  ])('reads %s', async (_, bytes, request, rows) => {
    expect(await fixture.rowsOf(await csv(bytes, request))).toEqual(rows);
  });

  it('takes quotes and other types behind the sample', async () => {
    const result = await csv(`a,b\n${'1,x\n'.repeat(30_000)}2.5,"y,z"\n`);
    expect(result.columns).toMatchObject([{ type: 'DOUBLE' }, { type: 'VARCHAR' }]);
    const inputs = [
      { schema: 'datasets' as const, table: 't', files: [result.files[0]?.path ?? ''], columns: result.columns },
    ];
    expect(await fixture.base.rows('SELECT * FROM datasets.t WHERE a = 2.5', { inputs })).toEqual([[2.5, 'y,z']]);
  });

  it('keeps long integers exact, and warns of long fractions', async () => {
    const result = await csv('id,x\n12345678901234567890123,1234567890123456.789\n5,1.5\n');
    expect(result.columns).toMatchObject([{ type: 'HUGEINT' }, { type: 'DOUBLE' }]);
    expect(result.warnings).toEqual([expect.stringContaining('"x"')]);
    expect((await fixture.rowsOf(result))[0]?.[0]).toBe('12345678901234567890123');
  });

  it('warns of a long fraction behind the sample', async () => {
    const result = await csv(`x,y\n${'1.5,a\n'.repeat(30_000)}0.123456789012345678,b\n`);
    expect(result).toMatchObject({ columns: [{ type: 'DOUBLE' }, { type: 'VARCHAR' }], rowCount: 30_001 });
    expect(result.warnings).toEqual([expect.stringMatching(/"x" has numbers of more digits/)]);
  });

  it.each<[string, string, string, string]>([
    ['fractions', '1', '2.5', 'DOUBLE'],
    ['leading zeros', '1', '007', 'VARCHAR'],
    ['a time', '2020-01-01', '2020-01-01 10:11:12', 'TIMESTAMP'],
    ['an offset', '2020-01-01 10:00:00', '2020-01-01 10:00:00+02', 'TIMESTAMP WITH TIME ZONE'],
    ['nanoseconds', '2020-01-01 10:00:00', '2020-01-01 10:00:00.123456789', 'VARCHAR'],
  ])('changes no value when %s come behind the sample', async (_, early, late, type) => {
    const result = await csv(`a,b\n${`${early},x\n`.repeat(25_000)}${late},y\n`);
    const inputs = [
      { schema: 'datasets' as const, table: 't', files: [result.files[0]?.path ?? ''], columns: result.columns },
    ];
    const [row] = await fixture.base.rows("SELECT a, typeof(a) FROM datasets.t WHERE b = 'y'", { inputs });
    const values: Record<string, unknown> = {
      '2.5': 2.5,
      '2020-01-01 10:11:12': '2020-01-01T10:11:12',
      '2020-01-01 10:00:00+02': '2020-01-01T08:00:00Z',
    };
    expect([type, 'VARCHAR']).toContain(row?.[1]);
    expect(row?.[0]).toBe(row?.[1] === 'VARCHAR' ? late : values[late]);
  });

  it.each([
    ['INTEGER', '2.5'],
    ['DECIMAL(5,1)', '2.75'],
    ['DATE', '2020-01-01 10:00:00'],
  ])('refuses to change a value for the pinned type %s', async (type, text) => {
    await expect(csv(`a,b\n${text},x\n`, { columns: { a: { type } } })).rejects.toMatchObject({
      code: 'conversion.failed',
      errors: [{ column_name: 'a', text }],
    });
  });

  it('pins types', async () => {
    const columns = {
      A: { type: 'decimal', precision: 12, scale: 2 },
      b: { type: 'HUGEINT' },
      c: { type: 'DECIMAL(5,1)' },
    };
    const result = await csv('a,b,c\n1.5,7,2.5\n', { columns });
    expect(result.columns.map(({ type }) => type)).toEqual(['DECIMAL(12,2)', 'HUGEINT', 'DECIMAL(5,1)']);
    expect(await fixture.rowsOf(result)).toEqual([[1.5, 7, 2.5]]);
  });

  it.each([
    ["INTEGER'); DROP TABLE x; --", undefined],
    ['ENUM', undefined],
    ['constructor', undefined],
    ['DECIMAL', 39],
    ['INTEGER', 3],
  ])('refuses the pinned type %s', async (type, precision) => {
    await expect(csv('a\n1\n', { columns: { a: { type, precision } } })).rejects.toMatchObject({
      code: 'conversion.type_invalid',
    });
  });

  it('refuses a pin of an unknown column', async () => {
    await expect(csv('a\n1\n', { columns: { nope: { type: 'INTEGER' } } })).rejects.toMatchObject({
      code: 'conversion.column_unknown',
    });
  });

  it('says which value does not fit a pin', async () => {
    await expect(csv('a,b\n1,2\n3,four\n', { columns: { b: { type: 'INTEGER' } } })).rejects.toMatchObject({
      code: 'conversion.failed',
      errors: [{ line: 3, column_name: 'b', text: 'four' }],
    });
  });

  it('makes names unique and says so', async () => {
    const result = await csv('a,A,\n1,2,3\n');
    expect(result.columns.map(({ name }) => name)).toEqual(['a', 'A_1', 'column2']);
    expect(result.warnings).toHaveLength(2);
    expect(await fixture.rowsOf(result)).toEqual([[1, 2, 3]]);
  });

  it.each<[string, string | Uint8Array, string, object]>([
    ['an empty file', '', 'conversion.no_rows', {}],
    ['only a header', 'a,b,c\n', 'conversion.no_rows', {}],
    ['only a header without a line end', 'a,b,c', 'conversion.no_rows', {}],
    ['only spaces', '   \n  \n', 'conversion.no_rows', {}],
    ['a byte order mark alone', '\ufeff', 'conversion.no_rows', {}],
    ['a binary', Buffer.from(Array.from({ length: 4_000 }, (_, i) => (i * 7919) % 256)), 'conversion.failed', {}],
    ['a NUL byte', 'a,b\n1,x\0y\n', 'conversion.failed', { line: 2 }],
    ['bytes of no encoding', Buffer.from('a,b\n1,x\n2,caf\x81\n', 'latin1'), 'conversion.failed', { line: 3 }],
    ['a short row', 'a,b,c\n1,2,3\n4,5\n6,7,8\n', 'conversion.failed', { line: 3, text: '4,5' }],
    ['a long row', 'a,b,c\n1,2,3\n4,5,6,7\n', 'conversion.failed', { line: 3, text: '4,5,6,7' }],
    ['a short row behind the sample', `a,b\n${'1,2\n'.repeat(30_000)}3\n`, 'conversion.failed', { line: 30_002 }],
    ['rows longer than the header', 'a,b\n1,2,3\n4,5,6\n', 'conversion.failed', { line: 1 }],
    ['a title', 'Report 2024\n\na,b,c\n1,2,3\n', 'conversion.failed', { line: 1, text: 'Report 2024' }],
    ['a footer', 'a,b\n1,2\n3,4\nTotal\n', 'conversion.failed', { line: 4, text: 'Total' }],
    ['an open quote', 'a,b\n1,"x\n2,y\n3,z\n', 'conversion.failed', { line: 2 }],
    ['an open quote at the end', 'a,b\n1,x\n2,"y', 'conversion.failed', { line: 3 }],
    ['mixed line ends', 'a,b\r\n1,2\n3,4\r\n', 'conversion.failed', {}],
    ['too many columns', `${'c,'.repeat(2_999)}c\n${'1,'.repeat(2_999)}1\n`, 'conversion.limit', {}],
    ['too long a line', `a,b\n1,${'x'.repeat(17 * 1024 * 1024)}\n`, 'conversion.limit', {}],
  ])('refuses %s', async (_, bytes, code, place) => {
    const error: unknown = await csv(bytes).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain(fixture.base.folder);
    if (Object.keys(place).length > 0) expect(error).toMatchObject({ errors: [place] });
  });

  it('reads a field of 1 MB and 2,000 columns', async () => {
    const long = await csv(`a,b\n1,${'x'.repeat(1024 * 1024)}\n2,"y"\n`);
    expect(long.rowCount).toBe(2);
    const wide = await csv(
      `${Array.from({ length: 2_000 }, (_, i) => `c${i}`).join()}\n${Array(2_000).fill(1).join()}\n`,
    );
    expect(wide.columns).toHaveLength(2_000);
  });

  it('keeps the order of rows and tells the progress', async () => {
    const seen: number[] = [];
    const lines = Array.from({ length: 400_000 }, (_, i) => `${(i * 7919) % 400_009},${'abc'.repeat(20)}`);
    const result = await fixture.convert(`a,b\n${lines.join('\n')}\n`, {
      format: 'csv',
      onProgress: (progress) => seen.push(progress),
    });
    const inputs = [
      { schema: 'datasets' as const, table: 't', files: [result.files[0]?.path ?? ''], columns: result.columns },
    ];
    const check =
      'SELECT count(*) FILTER (a <> (n * 7919) % 400009) FROM (SELECT a, row_number() OVER () - 1 AS n FROM datasets.t)';
    expect(await fixture.base.rows(check, { inputs })).toEqual([[0]]);
    expect(seen.every((progress) => progress >= 0 && progress <= 1)).toBe(true);
  });
});
