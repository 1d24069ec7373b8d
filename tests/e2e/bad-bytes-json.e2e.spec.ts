import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Analyst, type Reading, type TableSeen } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest } from './harness/millrace.js';

const array = 'application/json';
const lines = 'application/x-ndjson';
const deepList = (levels: number): string => `${'['.repeat(levels)}1${']'.repeat(levels)}`;
const deepObject = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

describe('a JSON file that is not tidy', () => {
  let millrace: MillraceUnderTest;
  let analyst: Analyst;

  beforeAll(async () => {
    millrace = await startMillrace();
    analyst = new Analyst((await millrace.newTenant()).asAdmin);
  });
  afterAll(() => millrace.stop());

  const read = (bytes: string, type = lines, reading?: Reading): Promise<TableSeen> =>
    analyst.tableOf({ bytes, type }, reading);
  async function refused(bytes: string, type = lines, reading?: Reading) {
    const { problem, upload } = await analyst.refusalOf({ bytes, type }, reading);
    expect(upload).toMatchObject({ status: 'pending', last_error: { code: problem.code, detail: problem.detail } });
    expect(upload.last_error?.errors).toEqual(problem.errors);
    return problem;
  }

  it.each<[string, string, string, number]>([
    ['an array that is cut in a value', array, '[{"a":1,"b":"x"},\n{"a":2,"b":"y"},\n{"a":3,"b":', 3],
    ['an array that is cut in a text', array, '[{"a":1},\n{"a":"long', 2],
    ['an array that is cut between values', array, '[{"a":1},\n{"a":2},\n', 2],
    ['the last line cut', lines, '{"a":1}\n{"a":2}\n{"a":', 3],
    ['a line without quotes around its key', lines, '{"a":1}\n{"a":2}\n{a:3}\n{"a":4}\n', 3],
    ['a line of text', lines, '{"a":1}\n{"a":2}\nhello\n{"a":4}\n', 3],
    ['a first line of text', lines, 'hello\n{"a":4}\n', 1],
    ['a line with something behind its value', lines, '{"a":1}\n{"a":2}x\n{"a":3}\n', 2],
    ['a line that is not closed', lines, '{"a":1}\n{"a":2}\n{"a":3\n{"a":4}\n', 3],
    ['a line that is closed twice', lines, '{"a":1}\n{"a":2}}\n{"a":3}\n', 2],
    ['commas between the lines', lines, '{"a":1},\n{"a":2},\n', 1],
    ['an array with something behind it', array, '[{"a":1}]\nxyz\n', 2],
    ['a CSV', array, 'a,b\n1,2\n', 1],
    ['a comma too many', array, '[{"a":1},]', 1],
    ['something behind the array', array, '[{"a":1}] x', 1],
    ['half a surrogate pair', lines, '{"a":"x"}\n{"a":"\\ud834"}\n', 2],
    ['a bad line far behind any sample', lines, `${'{"a":1}\n'.repeat(60_000)}{"a":}\n{"a":3}\n`, 60_001],
  ])('is refused with its line: %s', async (_, type, bytes, line) => {
    const problem = await refused(bytes, type);
    expect(problem).toMatchObject({ status: 422, code: 'conversion.failed', errors: [{ line }] });
    expect(problem.detail).toMatch(new RegExp(`^Line ${line}: `));
    expect(problem.detail).not.toMatch(/auto_detect|ignore_errors|maximum_object_size|read_json/);
  });

  it.each<[string, string, string, number]>([
    ['in a value', lines, '{"a":"x"}\n{"a":"\x81"}\n', 2],
    ['in a key', lines, '{"a":"x"}\n{"\x81":1}\n', 2],
    ['between values', lines, '{"a":"x"}\n\x81\n', 2],
    ['in an array', array, '[{"a":"x"},\n{"a":"y"},\n{"a":"\x81"}]', 3],
  ])('is in no encoding %s: refused with its line', async (_, type, text, line) => {
    const { problem, upload } = await analyst.refusalOf({ bytes: Uint8Array.from(Buffer.from(text, 'latin1')), type });
    expect(problem).toMatchObject({ status: 422, code: 'conversion.failed', errors: [{ line }] });
    expect(problem.detail).toContain('UTF-8');
    expect(upload).toMatchObject({ status: 'pending', last_error: { code: problem.code, detail: problem.detail } });
  });

  it.each<[string, string, string]>([
    ['a line', lines, '{"a":1,"a":2}\n{"a":3}\n'],
    ['a nested object', lines, '{"o":{"a":1,"a":2}}\n'],
    ['an object of an array', array, '[{"a":1,"a":2},{"a":3}]'],
  ])('has two equal keys in %s, one of which would be lost: refused with the key', async (_, type, bytes) => {
    const problem = await refused(bytes, type);
    expect(problem).toMatchObject({ status: 422, code: 'conversion.failed' });
    expect(problem.detail).toContain('duplicate key "a"');
  });

  it.each([
    ['an empty array', '[]', array],
    ['an empty array on lines', '[\n\n]\n', array],
    ['empty lines', '\n\n', lines],
  ])('has no rows: %s', async (_, bytes, type) => {
    expect(await refused(bytes, type)).toMatchObject({ status: 400, code: 'conversion.no_rows' });
  });

  it.each<[string, string, string[], unknown[][]]>([
    ['different keys in each', '{"a":1}\n{"b":"x"}\n{"a":2,"c":[1,2]}\n', ['a BIGINT?', 'b VARCHAR?', 'c BIGINT[]?'], [[1, null, null], [null, 'x', null], [2, null, [1, 2]]]], // prettier-ignore
    ['keys in another order', '{"a":1,"b":2}\n{"b":3,"a":4}\n', ['a BIGINT', 'b BIGINT'], [[1, 2], [4, 3]]], // prettier-ignore
    ['null and absent alike', '{"a":null,"b":1}\n{"b":2}\n', ['a JSON?', 'b BIGINT'], [[null, 1], [null, 2]]], // prettier-ignore
    ['integers and fractions', '{"a":1}\n{"a":1.5}\n', ['a DOUBLE'], [[1], [1.5]]],
    ['texts that look like numbers', '{"a":"007"}\n{"a":"1e3"}\n', ['a VARCHAR'], [['007'], ['1e3']]],
    ['an escaped text', '{"a":"\\u00e9\\n\\t\\"\\\\\\/\\ud834\\udd1e"}\n', ['a VARCHAR'], [['é\n\t"\\/𝄞']]],
    ['keys with spaces, dots and other letters', '{"a b":1,"c.d":2,"日":3,"":4}\n', ['a b BIGINT', 'c.d BIGINT', '日 BIGINT', expect.stringMatching(/ BIGINT$/) as unknown as string], [[1, 2, 3, 4]]], // prettier-ignore
    ['keys that are equal but for their case', '{"a":1,"A":2}\n{"A":4,"a":3}\n', ['a BIGINT', 'A_1 BIGINT'], [[1, 2], [3, 4]]], // prettier-ignore
    ['values over several lines', '{\n "a": 1\n}\n{\n "a": 2\n}\n', ['a BIGINT'], [[1], [2]]],
    ['a byte order mark', '\ufeff{"a":1}\n', ['a BIGINT'], [[1]]],
    ['line ends of Windows', '{"a":1}\r\n{"a":2}\r\n', ['a BIGINT'], [[1], [2]]],
    ['empty lines in between', '\n{"a":1}\n\n\n{"a":2}\n\n', ['a BIGINT'], [[1], [2]]],
    ['integers beyond a double', '{"a":9007199254740993}\n{"a":-9223372036854775807}\n', ['a BIGINT'], [['9007199254740993'], ['-9223372036854775807']]], // prettier-ignore
    ['integers beyond BIGINT', '{"a":12345678901234567890123}\n{"a":2}\n', ['a HUGEINT'], [['12345678901234567890123'], [2]]], // prettier-ignore
    ['objects in lists in objects', '{"a":{"b":[{"c":1,"d":null},{"c":2,"d":"x"}]}}\n', ['a STRUCT(b STRUCT(c BIGINT, d VARCHAR)[])'], [[{ b: [{ c: 1, d: null }, { c: 2, d: 'x' }] }]]], // prettier-ignore
    ['empty lists, objects and texts', '{"a":[],"b":"","c":[[]]}\n{"a":[1],"b":"x","c":[[2]]}\n', ['a BIGINT[]', 'b VARCHAR', 'c BIGINT[][]'], [[[], '', [[]]], [[1], 'x', [[2]]]]], // prettier-ignore
    ['dates', '{"a":"2020-02-29"}\n{"a":"1969-12-31"}\n{"a":null}\n', ['a DATE?'], [['2020-02-29'], ['1969-12-31'], [null]]], // prettier-ignore
    ['dates, and a text', '{"a":"2020-02-29"}\n{"a":"soon"}\n', ['a VARCHAR'], [['2020-02-29'], ['soon']]],
    ['dates, and a time', '{"a":"2020-02-29"}\n{"a":"2020-02-29 10:00:00"}\n', ['a TIMESTAMP'], [['2020-02-29T00:00:00'], ['2020-02-29T10:00:00']]], // prettier-ignore
    ['instants', '{"a":"2020-02-29T10:00:00Z"}\n{"a":"2020-02-29T10:00:00.5+05:30"}\n', ['a TIMESTAMP WITH TIME ZONE'], [['2020-02-29T10:00:00Z'], ['2020-02-29T04:30:00.5Z']]], // prettier-ignore
    ['times with and without an offset', '{"a":"2020-02-29T10:00:00Z"}\n{"a":"2020-02-29T10:00:00"}\n', ['a VARCHAR'], [['2020-02-29T10:00:00Z'], ['2020-02-29T10:00:00']]], // prettier-ignore
    ['times finer than a microsecond', '{"a":"2020-02-29T10:00:00.123456789"}\n', ['a VARCHAR'], [['2020-02-29T10:00:00.123456789']]], // prettier-ignore
    ['times of a day', '{"a":"10:30"}\n{"a":"10:30:00.5"}\n', ['a TIME'], [['10:30:00'], ['10:30:00.5']]],
    ['times of a day finer than a microsecond', '{"a":"10:30:00"}\n{"a":"10:30:00.1234567"}\n', ['a VARCHAR'], [['10:30:00'], ['10:30:00.1234567']]], // prettier-ignore
    ['times within objects', '{"o":{"at":"2020-02-29T10:00:00+05:00","l":["2020-02-29"]}}\n', ['o STRUCT("at" VARCHAR, l VARCHAR[])'], [[{ at: '2020-02-29T10:00:00+05:00', l: ['2020-02-29'] }]]], // prettier-ignore
    ['integers beyond HUGEINT', `{"a":${'1'.repeat(40)}}\n{"a":2}\n{"a":null}\n`, ['a VARCHAR?'], [['1'.repeat(40)], ['2'], [null]]], // prettier-ignore
    ['a number beyond DOUBLE', '{"a":1e400}\n{"a":2}\n', ['a VARCHAR'], [['1e400'], ['2']]],
    ['an integer beyond BIGINT in an object', '{"o":{"x":12345678901234567890123,"y":"a"}}\n{"o":{"x":1,"y":"b"}}\n', ['o STRUCT(x VARCHAR, y VARCHAR)'], [[{ x: '12345678901234567890123', y: 'a' }], [{ x: '1', y: 'b' }]]], // prettier-ignore
    ['a number beyond DOUBLE in a list', '{"l":[1e400,1.5]}\n', ['l VARCHAR[]'], [[['1e400', '1.5']]]],
    ['ids of 19 digits beside fractions', '{"o":{"id":1234567890123456789,"x":0.5}}\n', ['o STRUCT(id BIGINT, x DOUBLE)'], [[{ id: '1234567890123456789', x: 0.5 }]]], // prettier-ignore
    ['a key with the name of a type', '{"o":{"HUGEINT":5,"x":-3}}\n{"o":{"HUGEINT":7,"x":3}}\n', ['o STRUCT(HUGEINT BIGINT, x BIGINT)'], [[{ HUGEINT: 5, x: -3 }], [{ HUGEINT: 7, x: 3 }]]], // prettier-ignore
    ['a time with an offset that is none', '{"a":"2020-01-01T10:00:00+99:99"}\n', ['a VARCHAR'], [['2020-01-01T10:00:00+99:99']]], // prettier-ignore
    ['many keys, each in one of many', `${Array.from({ length: 30 }, (_, index) => `{"k${index}":${index}}`).join('\n')}\n`, Array.from({ length: 30 }, (_, index) => `k${index} BIGINT?`), Array.from({ length: 30 }, (_, row) => Array.from({ length: 30 }, (__, index) => (index === row ? index : null)))], // prettier-ignore
    ['300 keys with values of one kind', `{${Array.from({ length: 300 }, (_, index) => `"k${index}":${index}`).join()}}\n`, Array.from({ length: 300 }, (_, index) => `k${index} BIGINT`), [Array.from({ length: 300 }, (_, index) => index)]], // prettier-ignore
    ['ids', '{"a":"550e8400-e29b-41d4-a716-446655440000"}\n', ['a UUID'], [['550e8400-e29b-41d4-a716-446655440000']]],
    ['truths', '{"a":true}\n{"a":false}\n{"a":null}\n', ['a BOOLEAN?'], [[true], [false], [null]]],
  ])('is read without a change: %s', async (_, bytes, columns, rows) => {
    const seen = await read(bytes);
    expect(seen.columns).toEqual(columns);
    expect(seen.rows).toEqual(rows);
  });

  it.each<[string, string]>([
    ['numbers and texts', '{"a":1}\n{"a":"1"}\n{"a":"x"}\n'],
    [
      'a number, a list, an object, a truth and a text',
      '{"a":1}\n{"a":[1,"x"]}\n{"a":{"k":1.5}}\n{"a":true}\n{"a":"t"}\n',
    ],
  ])('keeps a column of different kinds of values: %s', async (_, bytes) => {
    const { columns, rows } = await read(bytes);
    const expected = bytes.trim().split('\n').map((line) => (JSON.parse(line) as { a: unknown }).a); // prettier-ignore
    // As JSON each value is its text; as VARCHAR a text is itself.
    const isJson = columns[0] === 'a JSON';
    const got = rows.map(([value]) => (isJson ? (JSON.parse(value as string) as unknown) : value));
    expect(got).toEqual(
      isJson ? expected : expected.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))),
    );
  });

  it('says that keys got other names', async () => {
    const { dataset } = await read('{"a":1,"A":2}\n');
    expect(dataset.warnings).toEqual([expect.stringContaining('got other names')]);
  });

  it('is not read with options that are for CSV, nor with two pins for one column', async () => {
    const options = { delimiter: ';' };
    expect(await refused('{"a":1}\n', lines, { options })).toMatchObject({
      ...{ status: 400, code: 'request.invalid', detail: expect.stringContaining('"delimiter" is for CSV') },
    });
    const columns = { a: { type: 'VARCHAR' }, A: { type: 'DOUBLE' } };
    expect(await refused('{"a":1}\n', lines, { columns })).toMatchObject({ status: 400, code: 'request.invalid' });
  });

  it('finds a key that comes only in the last of 30,000 lines', async () => {
    const bytes = `${'{"a":1}\n'.repeat(29_999)}{"a":2,"z":9}\n`;
    const { dataset, columns } = await read(bytes);
    expect(columns).toEqual(['a BIGINT', 'z BIGINT?']);
    await expect(
      analyst.rows(`SELECT count(*), sum(a), count(z), sum(z) FROM datasets.${dataset.table_name}`),
    ).resolves.toEqual([[30_000, 30_001, 1, 9]]);
  });

  it.each<[string, string, string[], unknown[][]]>([
    ['numbers', '[1,\n2,3]', ['json BIGINT'], [[1], [2], [3]]],
    ['texts', '["a","b"]', ['json VARCHAR'], [['a'], ['b']]],
    ['lists', '[[1,2],[3]]', ['json BIGINT[]'], [[[1, 2]], [[3]]]],
    ['nulls and objects', '[null,{"a":1}]', ['a BIGINT?'], [[null], [1]]],
  ])('may be an array of no objects: %s', async (_, bytes, columns, rows) => {
    expect(await read(bytes, array)).toMatchObject({ columns, rows });
  });

  it('may be an array of numbers and objects: nothing of it is lost', async () => {
    const { rows } = await read('[1,{"a":2},"x",null]', array);
    expect(rows.map(([value]) => (value === null ? null : (JSON.parse(value as string) as unknown)))).toEqual([
      ...[1, { a: 2 }, 'x', null],
    ]);
  });

  it.each([
    ['lists', `{"a":${deepList(5_000)}}`],
    ['objects', deepObject(5_000)],
    ['lists that are never closed', `{"a":${'['.repeat(100_000)}`],
    ['lists, one level beyond the limit', `{"a":${deepList(64)}}`],
  ])('is nested too deep: %s', async (_, bytes) => {
    expect(await refused(bytes)).toMatchObject({ status: 422, code: 'conversion.limit' });
  });

  it('has 20 lists in one another, which would take long to read ever after', async () => {
    expect(await refused(`{"a":${deepList(20)}}`)).toMatchObject({ status: 422, code: 'conversion.limit' });
  });

  it('may be nested in 60 objects', async () => {
    const { rows } = await read(`${deepObject(60)}\n`);
    expect(rows).toEqual([[(JSON.parse(deepObject(60)) as { a: unknown }).a]]);
  });

  it('may be nested in 18 lists', async () => {
    const { rows } = await read(`{"a":${deepList(18)}}\n`);
    expect(rows).toEqual([[JSON.parse(deepList(18))]]);
  });

  it('has 3,000 keys, which are too many for columns', async () => {
    const entries = Array.from({ length: 3_000 }, (_, index) => [`c${index}`, index % 2 ? 'x' : index]);
    const problem = await refused(JSON.stringify(Object.fromEntries(entries)), array);
    expect(problem).toMatchObject({ status: 422, code: 'conversion.limit' });
  });

  it('has a wrong value for a pinned column', async () => {
    const pinned = { columns: { a: { type: 'INTEGER' } } };
    const problem = await refused('{"a":1}\n{"a":"x"}\n{"a":3}\n', lines, pinned);
    expect(problem).toMatchObject({
      ...{ status: 422, code: 'conversion.failed' },
      errors: [{ line: 2, column_name: 'a', text: 'x' }],
    });
    expect(problem.detail).not.toMatch(/auto_detect|ignore_errors/);
  });

  it.each([
    ['a fraction for an INTEGER', 'INTEGER', '1.5'],
    ['a third digit for DECIMAL(20,2)', 'DECIMAL(20,2)', '1.105'],
    ['a third digit behind an exponent', 'DECIMAL(20,2)', '15e-4'],
    ['more digits than a DECIMAL has', 'DECIMAL(4,2)', '123.45'],
    ['a number beyond FLOAT', 'FLOAT', '1e39'],
    ['half a second', 'TIMESTAMP_S', '"2020-01-01 00:00:00.5"'],
    ['more than a TINYINT holds', 'TINYINT', '300'],
  ])('never rounds to fit a pinned type: %s', async (_, type, value) => {
    const problem = await refused(`{"a":1}\n{"a":${value}}\n`, lines, { columns: { a: { type } } });
    expect(problem).toMatchObject({ status: 422, code: 'conversion.failed', errors: [{ column_name: 'a' }] });
  });

  it('gives a pinned column all the digits of the file', async () => {
    const bytes = '[{"a":12345678901234567.12, "b":1.10},\n {"b":"x","a":1.10},{"a":-0.01,"b":-2E+3},{"a":7,"b":null}]';
    const columns = { a: { type: 'DECIMAL', precision: 20, scale: 2 }, b: { type: 'VARCHAR' } };
    const seen = await read(bytes, array, { columns });
    expect(seen.columns).toEqual(['a DECIMAL(20,2)', 'b VARCHAR?']);
    expect(seen.rows).toEqual([['12345678901234567.12', '1.10'], [1.1, 'x'], [-0.01, '-2E+3'], [7, null]]); // prettier-ignore
  });

  it('warns of digits that a DOUBLE does not keep', async () => {
    const { dataset } = await read('{"a":1.5}\n{"a":0.12345678901234567890}\n{"a":1.50000000000000000000}\n');
    expect(dataset.warnings).toEqual([expect.stringMatching(/^Line 2 .*rounded/)]);
    const short = await read('{"a":1.50000000000000000000,"b":"0.12345678901234567890","c":12345678901234567890}\n');
    expect(short.dataset.warnings).toEqual([]);
    const mixed = await read(
      '{"a":1.5,"b":1.5}\n{"a":9007199254740993,"b":12345678901234567890}\n{"a":9007199254740992}\n',
    );
    expect(mixed.dataset.warnings).toEqual(
      ['a', 'b'].map((name) => expect.stringMatching(new RegExp(`"${name}".*rounded.*DECIMAL`)) as unknown),
    );
    const renamed = await read('{"a":1e400,"A":1}\n');
    expect(renamed.dataset.warnings).toContainEqual(expect.stringMatching(/^Line 1 .*DOUBLE/));
  });

  it('does not warn of digits that a pinned column keeps', async () => {
    const columns = { a: { type: 'DECIMAL', precision: 38, scale: 20 } };
    const { rows, dataset } = await read('{"a":0.12345678901234567890}\n{"a":2.5e1}\n', lines, { columns });
    expect(rows).toEqual([['0.12345678901234567890'], [25]]);
    expect(dataset.warnings).toEqual([]);
  });

  it('has a key twice in a record with a pinned column', async () => {
    const pinned = { columns: { a: { type: 'INTEGER' } } };
    expect(await refused('{"a":1}\n{"a":1,"a":2}\n', lines, pinned)).toMatchObject({
      ...{ status: 422, code: 'conversion.failed' },
      errors: [{ line: 2, column_name: 'a' }],
    });
  });
});
