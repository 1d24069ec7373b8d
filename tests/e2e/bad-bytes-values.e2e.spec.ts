import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Analyst, type Reading, type TableSeen } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest } from './harness/millrace.js';
import { problemOf } from './harness/problems.js';

/** The lines below a header of one column. */
const column = (...values: string[]): string => ['a', ...values, ''].join('\n');
const rowsOf = (...values: unknown[]): unknown[][] => values.map((value) => [value]);

describe('the values of a CSV file', () => {
  let millrace: MillraceUnderTest;
  let analyst: Analyst;

  beforeAll(async () => {
    millrace = await startMillrace();
    analyst = new Analyst((await millrace.newTenant()).asAdmin);
  });
  afterAll(() => millrace.stop());

  const read = (bytes: string, reading?: Reading): Promise<TableSeen> =>
    analyst.tableOf({ bytes, type: 'text/csv' }, reading);
  async function refused(bytes: string, reading?: Reading) {
    const { problem, upload } = await analyst.refusalOf({ bytes, type: 'text/csv' }, reading);
    expect(upload).toMatchObject({ status: 'pending', last_error: { code: problem.code } });
    return problem;
  }

  it.each<[string, string, unknown[], string[]]>([
    ['integers', 'BIGINT', [1, -2, 0], ['1', '-2', '0']],
    ['integers at the ends of BIGINT', 'BIGINT', ['-9223372036854775808', '9223372036854775807'], ['-9223372036854775808', '9223372036854775807']], // prettier-ignore
    ['integers around 2^53', 'BIGINT', [9007199254740991, 9007199254740992, '9007199254740993'], ['9007199254740991', '9007199254740992', '9007199254740993']], // prettier-ignore
    ['integers beyond BIGINT', 'HUGEINT', ['9223372036854775808', 1], ['9223372036854775808', '1']],
    ['integers at the ends of HUGEINT', 'HUGEINT', ['170141183460469231731687303715884105727', '-170141183460469231731687303715884105728'], ['170141183460469231731687303715884105727', '-170141183460469231731687303715884105728']], // prettier-ignore
    ['integers beyond HUGEINT', 'VARCHAR', ['170141183460469231731687303715884105728', '1'], ['170141183460469231731687303715884105728', '1']], // prettier-ignore
    ['integers of 60 digits', 'VARCHAR', ['1'.repeat(60), '-2'], ['1'.repeat(60), '-2']],
    ['leading zeros', 'VARCHAR', ['007', '010', '1'], ['007', '010', '1']],
    ['a plus', 'VARCHAR', ['+1', '2'], ['+1', '2']],
    ['fractions', 'DOUBLE', [1.5, -0.25, 3], ['1.5', '-0.25', '3']],
    ['exponents', 'DOUBLE', [1000, 0.025], ['1e3', '2.5E-2']],
    ['a number beyond DOUBLE', 'VARCHAR', ['1e400', '2'], ['1e400', '2']],
    ['hexadecimal numbers', 'VARCHAR', ['0x10', '11'], ['0x10', '11']],
    ['thousands', 'VARCHAR', ['1,000', '2,000'], ['"1,000"', '"2,000"']],
    ['a decimal comma in a file of commas', 'VARCHAR', ['1,5', '2,25'], ['"1,5"', '"2,25"']],
    ['truths', 'BOOLEAN', [true, false], ['true', 'FALSE']],
    ['truths, and a doubt', 'VARCHAR', ['true', 'FALSE', 'maybe'], ['true', 'FALSE', 'maybe']],
    ['dates', 'DATE', ['2020-02-29', '0001-01-01', '9999-12-31'], ['2020-02-29', '0001-01-01', '9999-12-31']],
    ['a day that does not exist', 'VARCHAR', ['2021-02-30', '2021-01-01'], ['2021-02-30', '2021-01-01']],
    ['dates of Germany', 'DATE', ['2020-02-29', '2021-12-31'], ['29.02.2020', '31.12.2021']],
    ['dates of the United States', 'DATE', ['2020-02-29', '2021-12-31'], ['02/29/2020', '12/31/2021']],
    ['dates in two formats', 'VARCHAR', ['2020-02-29', '29.02.2020'], ['2020-02-29', '29.02.2020']],
    ['times', 'TIME', ['12:30:00', '23:59:59.999999'], ['12:30:00', '23:59:59.999999']],
    ['times finer than a microsecond', 'VARCHAR', ['12:30:00', '12:30:00.1234567'], ['12:30:00', '12:30:00.1234567']],
    ['timestamps', 'TIMESTAMP', ['2020-02-29T12:00:00', '2020-02-29T12:00:00.123456'], ['2020-02-29 12:00:00', '2020-02-29T12:00:00.123456']], // prettier-ignore
    ['timestamps with an offset', 'TIMESTAMP WITH TIME ZONE', ['2020-02-29T12:00:00Z', '2020-02-29T10:00:00Z', '2020-12-31T18:30:00Z'], ['2020-02-29T12:00:00Z', '2020-02-29T12:00:00+02:00', '2021-01-01 00:00:00+05:30']], // prettier-ignore
    ['timestamps finer than a microsecond', 'VARCHAR', ['2020-02-29T12:00:00.123456789'], ['2020-02-29T12:00:00.123456789']], // prettier-ignore
    ['instants finer than a microsecond', 'VARCHAR', ['2020-02-29T12:00:00.123456789Z'], ['2020-02-29T12:00:00.123456789Z']], // prettier-ignore
    ['what is no number for all', 'VARCHAR', ['inf', 'nan', '1.5'], ['inf', 'nan', '1.5']],
    ['numbers, and a text', 'VARCHAR', ['1', '2', 'x'], ['1', '2', 'x']],
  ])('are kept: %s', async (_, type, expected, texts) => {
    const { columns, rows } = await read(column(...texts));
    expect(columns).toEqual([`a ${type}`]);
    expect(rows).toEqual(rowsOf(...expected));
  });

  it.each<[string, string, string, string, unknown, unknown]>([
    ['a fraction behind integers', '1', '2.5', 'DOUBLE', 1, 2.5],
    ['a text behind numbers', '1', 'x', 'VARCHAR', '1', 'x'],
    ['leading zeros behind numbers', '17', '007', 'VARCHAR', '17', '007'],
    ['a time behind dates', '2020-01-01', '2020-01-02 03:04:05', 'TIMESTAMP', '2020-01-01T00:00:00', '2020-01-02T03:04:05'], // prettier-ignore
    ['an offset behind timestamps', '2020-01-01 00:00:00', '2020-01-01T00:00:00+05:00', 'VARCHAR', '2020-01-01 00:00:00', '2020-01-01T00:00:00+05:00'], // prettier-ignore
    ['a long number behind short ones', '1', '12345678901234567890', 'HUGEINT', 1, '12345678901234567890'],
    ['a longer number than all types hold', '1', '1'.repeat(45), 'VARCHAR', '1', '1'.repeat(45)],
    ['a number beyond DOUBLE', '1.5', '1e400', 'VARCHAR', '1.5', '1e400'],
    ['a number below DOUBLE', '1.5', '1e-400', 'VARCHAR', '1.5', '1e-400'],
    ['a plus behind integers', '1', '+7', 'VARCHAR', '1', '+7'],
    ['a number behind truths', 'true', '1', 'VARCHAR', 'true', '1'],
    ['another format of dates', '31.12.2020', '2020-12-31', 'VARCHAR', '31.12.2020', '2020-12-31'],
  ])('decide on the type even behind 30,000 others: %s', async (_, common, last, type, commonValue, lastValue) => {
    const { dataset, columns } = await read(column(...Array.from({ length: 30_000 }, () => common), last));
    expect(columns).toEqual([`a ${type}`]);
    const sql = `SELECT a, count(*) FROM datasets.${dataset.table_name} GROUP BY ALL ORDER BY 2`;
    await expect(analyst.rows(sql)).resolves.toEqual([[lastValue, 1], [commonValue, 30_000]]); // prettier-ignore
  });

  it('warn of rounding that only a last row needs', async () => {
    const { dataset } = await read(column(...Array.from({ length: 30_000 }, () => '1.5'), '0.1234567890123456789'));
    expect(dataset.warnings).toEqual([expect.stringMatching(/"a".*rounded/)]);
  });

  it('warn of digits that a DOUBLE does not keep, and keep them as DECIMAL', async () => {
    const bytes = column('12345678901234567890.123456789', '0.1');
    const { columns, dataset } = await read(bytes);
    expect(columns).toEqual(['a DOUBLE']);
    expect(dataset.warnings).toEqual([expect.stringMatching(/"a".*rounded.*DECIMAL/)]);
    const exact = await read(bytes, { columns: { a: { type: 'DECIMAL', precision: 38, scale: 9 } } });
    expect(exact.rows).toEqual(rowsOf('12345678901234567890.123456789', 0.1));
    expect(exact.dataset.warnings).toEqual([]);
  });

  it('warn when a date may mean two days', async () => {
    const { rows, dataset } = await read(column('01/02/2020', '03/04/2021'));
    expect(dataset.warnings).toEqual([expect.stringContaining('date_format')]);
    const said = await read(column('01/02/2020', '03/04/2021'), { options: { date_format: '%m/%d/%Y' } });
    expect(said.rows).toEqual(rowsOf('2020-01-02', '2021-03-04'));
    expect(said.dataset.warnings).toEqual([]);
    expect([said.rows, rowsOf('2020-02-01', '2021-04-03')]).toContainEqual(rows);
  });

  it.each<[string, string, Reading, string[], unknown[][]]>([
    ['a decimal comma', 'a;b\n1,5;x\n2,25;y\n', { options: { delimiter: ';', decimal_separator: ',' } }, ['a DOUBLE', 'b VARCHAR'], [[1.5, 'x'], [2.25, 'y']]], // prettier-ignore
    ['a long fraction behind a decimal comma', 'a;b\n0,12345678901234567890;x\n', { options: { delimiter: ';', decimal_separator: ',' }, columns: { a: { type: 'DECIMAL', precision: 38, scale: 20 } } }, ['a DECIMAL(38,20)', 'b VARCHAR'], [['0.12345678901234567890', 'x']]], // prettier-ignore
    ['a decimal comma, pinned', 'a;b\n1,50;x\n-2,25;y\n', { options: { delimiter: ';', decimal_separator: ',' }, columns: { a: { type: 'DECIMAL', precision: 12, scale: 2 } } }, ['a DECIMAL(12,2)', 'b VARCHAR'], [[1.5, 'x'], [-2.25, 'y']]], // prettier-ignore
    ['texts that mean NULL', 'a,b\n1,NA\nNA,x\n,null\n4,n/a\n', { options: { null_strings: ['NA', 'null'] } }, ['a BIGINT?', 'b VARCHAR?'], [[1, null], [null, 'x'], [null, null], [4, 'n/a']]], // prettier-ignore
    ['a format for dates', 'a\n29.02.20\n01.03.21\n', { options: { date_format: '%d.%m.%y' } }, ['a DATE'], [['2020-02-29'], ['2021-03-01']]], // prettier-ignore
    ['a format for timestamps', 'a\n29/02/2020 13-05\n', { options: { timestamp_format: '%d/%m/%Y %H-%M' } }, ['a TIMESTAMP'], [['2020-02-29T13:05:00']]], // prettier-ignore
    ['no header', 'a,b\nc,d\n', { options: { header: false } }, ['column0 VARCHAR', 'column1 VARCHAR'], [['a', 'b'], ['c', 'd']]], // prettier-ignore
    ['a header of numbers', '1,2\n3,4\n', { options: { header: true } }, ['1 BIGINT', '2 BIGINT'], [[3, 4]]],
    ['comments', '# by me\na,b\n1,2\n# half time\n3,4\n', { options: { comment: '#' } }, ['a BIGINT', 'b BIGINT'], [[1, 2], [3, 4]]], // prettier-ignore
    ['another quote', "a,b\n'x,y',2\n", { options: { quote: "'" } }, ['a VARCHAR', 'b BIGINT'], [['x,y', 2]]],
    ['another escape', 'a,b\n"x\\"y",2\n', { options: { escape: '\\' } }, ['a VARCHAR', 'b BIGINT'], [['x"y', 2]]],
    ['no quote at all', 'a,b\n"x,"y\n', { options: { quote: '' } }, ['a VARCHAR', 'b VARCHAR'], [['"x', '"y']]],
    ['a delimiter of two characters', 'a::b\n1::x:y\n', { options: { delimiter: '::' } }, ['a BIGINT', 'b VARCHAR'], [[1, 'x:y']]], // prettier-ignore
    ['pins for all', 'a,b,c\n007,1.10,2020-01-01\n', { columns: { a: { type: 'VARCHAR' }, B: { type: 'text' }, c: { type: 'varchar' } } }, ['a VARCHAR', 'b VARCHAR', 'c VARCHAR'], [['007', '1.10', '2020-01-01']]], // prettier-ignore
  ])('are read as the options say: %s', async (_, bytes, reading, columns, rows) => {
    expect(await read(bytes, reading)).toMatchObject({ columns, rows });
  });

  it.each<[string, string, unknown]>([
    ['BOOLEAN', 'yes', true],
    ['TINYINT', '-128', -128],
    ['INTEGER', '007', 7],
    ['UBIGINT', '18446744073709551615', '18446744073709551615'],
    ['HUGEINT', '170141183460469231731687303715884105727', '170141183460469231731687303715884105727'],
    ['DECIMAL(5,2)', '123.40', 123.4],
    ['DOUBLE', '0.5', 0.5],
    ['VARCHAR', '1.0', '1.0'],
    ['DATE', '2020-02-29', '2020-02-29'],
    ['TIME', '12:30', '12:30:00'],
    ['TIMESTAMP', '2020-02-29 12:00:00', '2020-02-29T12:00:00'],
    ['TIMESTAMP_NS', '2020-02-29T12:00:00.123456789', '2020-02-29T12:00:00.123456789'],
    ['TIMESTAMP WITH TIME ZONE', '2020-02-29T12:00:00+02:00', '2020-02-29T10:00:00Z'],
    ['INTERVAL', '1 year 2 months 3 days 04:05:06.5', 'P1Y2M3DT4H5M6.5S'],
    ['UUID', '550E8400-E29B-41D4-A716-446655440000', '550e8400-e29b-41d4-a716-446655440000'],
    ['BLOB', 'abc', 'YWJj'],
    ['JSON', '"{""a"": [1]}"', '{"a": [1]}'],
  ])('can be pinned to %s', async (type, text, value) => {
    const { columns, rows } = await read(column(text), { columns: { a: { type } } });
    expect({ columns, rows }).toEqual({ columns: [`a ${type}`], rows: [[value]] });
  });

  it.each<[string, string, string[], number, string]>([
    ['a text', 'INTEGER', ['1', 'x', '3'], 3, 'x'],
    ['a text far behind', 'INTEGER', [...Array.from({ length: 30_000 }, () => '1'), 'x'], 30_002, 'x'],
    ['a text behind a field of several lines', 'INTEGER', ['1', '"2\n"', 'x'], 5, 'x'],
    ['a fraction behind a field of several lines', 'INTEGER', ['1', '"2\n"', '2.5'], 5, '2.5'],
    ['a fraction', 'INTEGER', ['1', '2.5'], 3, '2.5'],
    ['a third digit', 'DECIMAL(12,2)', ['1.50', '1.505'], 3, '1.505'],
    ['a third digit behind an exponent', 'DECIMAL(12,2)', ['1.25e3', '15e-4'], 3, '15e-4'],
    ['half a second', 'TIMESTAMP_S', ['2020-01-01 00:00:00', '2020-01-01 00:00:00.5'], 3, '2020-01-01 00:00:00.5'],
    ['too many digits', 'DECIMAL(4,2)', ['1.50', '123.4'], 3, '123.4'],
    ['more than it holds', 'TINYINT', ['127', '128'], 3, '128'],
    ['beyond HUGEINT', 'HUGEINT', ['1', '1'.repeat(40)], 3, '1'.repeat(40)],
    ['a day that does not exist', 'DATE', ['2020-02-29', '2021-02-29'], 3, '2021-02-29'],
    ['no UUID', 'UUID', ['550e8400-e29b-41d4-a716-446655440000', 'x'], 3, 'x'],
    ['no truth', 'BOOLEAN', ['true', 'perhaps'], 3, 'perhaps'],
    ['no JSON', 'JSON', ['1', '{a'], 3, '{a'],
  ])('that do not fit a pinned type are refused with line and column: %s', async (_, type, texts, line, text) => {
    const problem = await refused(column(...texts), { columns: { A: { type } } });
    expect(problem).toMatchObject({
      ...{ status: 422, code: 'conversion.failed' },
      errors: [{ line, column_name: 'a', text }],
    });
  });

  it('are not rounded behind a decimal comma', async () => {
    const reading = { options: { decimal_separator: ',' as const }, columns: { a: { type: 'DECIMAL(12,2)' } } };
    expect(await refused('a;b\n1,50;x\n1,505;y\n', reading)).toMatchObject({
      ...{ status: 422, code: 'conversion.failed' },
      errors: [{ line: 3, column_name: 'a', text: '1,505' }],
    });
  });

  it.each([
    ['no type', 'MONEY'],
    ['more than a type', "INTEGER') --"],
    ['a nested type', 'INTEGER[]'],
    ['a DECIMAL of 39 digits', 'DECIMAL(39,0)'],
    ['a DECIMAL with more scale than digits', 'DECIMAL(4,5)'],
  ])('can not be pinned to %s', async (_, type) => {
    const problem = await refused(column('1'), { columns: { a: { type } } });
    expect(problem).toMatchObject({ status: 400, code: 'conversion.type_invalid' });
    expect(problem.detail).toContain('"a"');
  });

  it('can be pinned only by the names that the file has', async () => {
    const upload = await analyst.upload({ bytes: 'Id,amount\n1,2\n', type: 'text/csv' });
    const problem = await problemOf(analyst.convert(upload, { columns: { amout: { type: 'INTEGER' } } }));
    expect(problem).toMatchObject({ status: 400, code: 'conversion.column_unknown' });
    expect(problem.detail).toMatch(/"amout".*Id, amount/);
    await expect(analyst.convert(upload, { columns: { AMOUNT: { type: 'INTEGER' } } })).resolves.toMatchObject({
      columns: [{ type: 'BIGINT' }, { name: 'amount', type: 'INTEGER' }],
    });
  });

  it.each<[string, Reading['options']]>([
    ['an empty delimiter', { delimiter: '' }],
    ['a delimiter that is a line end', { delimiter: '\n' }],
    ['a quote of two characters', { quote: '""' }],
    ['a quote that is no ASCII character', { quote: '«' }],
    ['a format of dates that is none', { date_format: '%Q' }],
    ['an option that is none', { delimeter: ';' } as Reading['options']],
    ['a delimiter that is the quote', { delimiter: '"' }],
  ])('are not read with wrong options: %s', async (_, options) => {
    const upload = await analyst.upload({ bytes: 'a,b\n1,2\n', type: 'text/csv' });
    const problem = await problemOf(analyst.convert(upload, { options }));
    expect(problem).toMatchObject({ status: 400, code: 'request.invalid' });
    await expect(analyst.convert(upload)).resolves.toMatchObject({ row_count: 1 });
  });
});
