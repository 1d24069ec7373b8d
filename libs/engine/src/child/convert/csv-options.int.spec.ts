import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ConvertRequest, ConvertResult, CsvOptions } from '../../tasks/convert.task.js';
import { ConvertFixture } from '../../../test/convert-fixture.js';

describe('an option of CSV', () => {
  let fixture: ConvertFixture;
  beforeAll(async () => {
    fixture = await ConvertFixture.open();
  });
  afterAll(() => fixture.close());

  const csv = (text: string, options: CsvOptions, columns?: ConvertRequest['columns']): Promise<ConvertResult> =>
    fixture.convert(text, { format: 'csv', options, columns });
  const typesOf = ({ columns }: ConvertResult): string[] => columns.map(({ type }) => type);
  const behindSample = (first: string, last: string): string => `a,b\n${first.repeat(30_000)}${last}`;

  describe('thousands_separator', () => {
    it.each<[string, string, CsvOptions, string[], unknown[][]]>([
      ['commas', 'a,b\n"1,234","-1,234,567.5"\n12,0.25\n', { thousands_separator: ',' }, ['BIGINT', 'DOUBLE'], [[1234, -1234567.5], [12, 0.25]]], // prettier-ignore
      ['points', 'a;b\n1.234;1.234,5\n12;0,25\n', { thousands_separator: '.', decimal_separator: ',' }, ['BIGINT', 'DOUBLE'], [[1234, 1234.5], [12, 0.25]]], // prettier-ignore
      ['spaces', 'a,b\n1 234, 12\n12,1 000.5\n', { thousands_separator: ' ' }, ['BIGINT', 'DOUBLE'], [[1234, 12], [12, 1000.5]]], // prettier-ignore
      ['spaces that do not break', 'a,b\n1\u202f234,x\n12,y\n', { thousands_separator: '\u202f' }, ['BIGINT', 'VARCHAR'], [[1234, 'x'], [12, 'y']]], // prettier-ignore
      ['apostrophes', "a;b\n1'234.5;2020-01-02\n;2020-01-03\n", { thousands_separator: "'" }, ['DOUBLE', 'DATE'], [[1234.5, '2020-01-02'], [null, '2020-01-03']]], // prettier-ignore
      [
        'none of them',
        'a,b\n1,x\n2,y\n',
        { thousands_separator: "'" },
        ['BIGINT', 'VARCHAR'],
        [
          [1, 'x'],
          [2, 'y'],
        ],
      ],
    ])('is %s', async (_, text, options, types, rows) => {
      const result = await csv(text, options);
      expect(typesOf(result)).toEqual(types);
      expect(await fixture.rowsOf(result)).toEqual(rows);
    });

    it.each([
      ['a group of two', '1,234\n"12,34"\n'],
      ['a group of four', '"1,234"\n"1,2345"\n'],
      ['a separator at the end', '"1,234"\n"1,"\n'],
      ['a leading zero', '"1,234"\n007\n'],
      ['a text', '"1,234"\nx\n'],
    ])('stands between thousands only: %s is text', async (_, rows) => {
      const text = `a;b\n${rows.replaceAll('\n', ';1\n')}`;
      const result = await csv(text, { thousands_separator: ',', delimiter: ';' });
      expect(typesOf(result)).toEqual(['VARCHAR', 'BIGINT']);
      expect(JSON.stringify(await fixture.rowsOf(result))).toContain(rows.includes('007') ? '"007"' : ',');
    });

    it('decides for the whole file, wherever the first one stands', async () => {
      const late = await csv(behindSample('1,2\n', '"1,234","1,2.5"\n'), { thousands_separator: ',' });
      expect(typesOf(late)).toEqual(['BIGINT', 'VARCHAR']);
      const inputs = [
        { schema: 'datasets' as const, table: 't', files: [late.files[0]?.path ?? ''], columns: late.columns },
      ];
      const sql = "SELECT max(a), max(b), count(*) FILTER (b = '2') FROM datasets.t";
      expect(await fixture.base.rows(sql, { inputs })).toEqual([[1234, '2', 30_000]]);
      const misfit = await csv(behindSample('"1,234",2\n', '"12,34",2\n'), { thousands_separator: ',' });
      expect(typesOf(misfit)).toEqual(['VARCHAR', 'BIGINT']);
    });

    it('is for pinned columns, too, which refuse what is no number with its line', async () => {
      const pins = { a: { type: 'DECIMAL(12,2)' }, b: { type: 'INTEGER' } };
      const options = { thousands_separator: ',', delimiter: ';' };
      const result = await csv('a;b\n1,234.50;1,000\n.5;7\n', options, pins);
      expect(typesOf(result)).toEqual(['DECIMAL(12,2)', 'INTEGER']);
      expect(await fixture.rowsOf(result)).toEqual([[1234.5, 1000], [0.5, 7]]); // prettier-ignore
      for (const [value, column] of [
        ['12,34', 'a'],
        ['x', 'a'],
        ['1.234', 'a'],
        ['1,5', 'b'],
        ['1.5', 'b'],
      ] as const) {
        // prettier-ignore
        const row = column === 'a' ? `${value};1` : `1;${value}`;
        await expect(csv(`a;b\n1,234;1\n${row}\n`, options, pins)).rejects.toMatchObject({
          code: 'conversion.failed',
          errors: [{ line: 3, column_name: column, text: value }],
        });
      }
    });

    it.each<[string, CsvOptions]>([
      ['the decimal separator', { thousands_separator: '.' }],
      ['the decimal separator that is given', { thousands_separator: ',', decimal_separator: ',' }],
      ['a letter', { thousands_separator: 'x' }],
    ])('is not %s', async (_, options) => {
      await expect(csv('a\n1\n', options)).rejects.toMatchObject({ code: 'request.invalid' });
    });
  });

  describe('ragged_rows', () => {
    it('pads rows with too few fields', async () => {
      const result = await csv('id,name,n\n1,"x\ny",3\n2,z\n\n3\n', { ragged_rows: 'pad' });
      expect(result.columns).toMatchObject([
        { name: 'id', type: 'BIGINT', nullable: false },
        { name: 'name', type: 'VARCHAR', nullable: true },
        { name: 'n', type: 'BIGINT', nullable: true },
      ]);
      expect(await fixture.rowsOf(result)).toEqual([[1, 'x\ny', 3], [2, 'z', null], [3, null, null]]); // prettier-ignore
    });

    it('pads those behind the sample', async () => {
      const result = await csv(behindSample('1,2\n', '3\n'), { ragged_rows: 'pad' });
      expect(result).toMatchObject({ rowCount: 30_001, columns: [{ nullable: false }, { nullable: true }] });
    });

    it.each<[string, string, number]>([
      ['in the sample', 'a,b\n1,2\n3\n4,5,6\n', 4],
      ['behind it', behindSample('1,2\n', '1,2,3\n'), 30_002],
      ['behind a header with quotes', '"a,x",b\n1,2\n4,5,6\n', 3],
    ])('does not hide what is too much: %s', async (_, text, line) => {
      await expect(csv(text, { ragged_rows: 'pad' })).rejects.toMatchObject({
        code: 'conversion.failed',
        errors: [{ line, message: expect.stringContaining('3 columns where 2') }],
      });
    });

    it('is an error when nobody says otherwise, or says that', async () => {
      for (const options of [{}, { ragged_rows: 'error' as const }]) {
        const refused = csv('a,b\n1,2\n3\n', options);
        await expect(refused).rejects.toMatchObject({ code: 'conversion.failed', errors: [{ line: 3 }] });
      }
    });
  });

  it.each<[string, string, CsvOptions, unknown[][]]>([
    ['delimiter of two characters', 'a||b\n1||x|y\n2||z\n', { delimiter: '||' }, [[1, 'x|y'], [2, 'z']]], // prettier-ignore
    ['delimiter of four', 'a<=>b\n1<=>"x<=>y"\n'.replaceAll('<=>', '~::~'), { delimiter: '~::~' }, [[1, 'x~::~y']]],
    ['delimiter beyond ASCII', 'a¦b\n1¦x\n', { delimiter: '¦' }, [[1, 'x']]],
    ['escape', "a,b\n1,'x\\'y'\n", { quote: "'", escape: '\\' }, [[1, "x'y"]]],
    ['quote that is none', 'a,b\n1,"x"\n', { quote: '', escape: '' }, [[1, '"x"']]],
    ['comment that is none', 'a,b\n1,#x\n', { comment: '' }, [[1, '#x']]],
    ['header that is there though it looks like data', '1,2\n3,4\n', { header: true }, [[3, 4]]],
    ['skip and a comment', 'x\n# y\na,b\n1,2\n', { skip: 1, comment: '#' }, [[1, 2]]],
    ['null_strings', 'a,b\n-,n/a\n1,x\n', { null_strings: ['-', 'n/a'] }, [[null, null], [1, 'x']]], // prettier-ignore
    ['date_format', 'a,b\n03/04/2020,1\n', { date_format: '%m/%d/%Y' }, [['2020-03-04', 1]]],
    ['timestamp_format', 'a,b\n20200304T0506,1\n', { timestamp_format: '%Y%m%dT%H%M' }, [['2020-03-04T05:06:00', 1]]],
    ['decimal_separator', 'a;b\n1,5;x\n', { decimal_separator: ',' }, [[1.5, 'x']]],
  ])('changes what is read: %s', async (_, text, options, rows) => {
    expect(await fixture.rowsOf(await csv(text, options))).toEqual(rows);
  });
});
