import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Analyst, type Reading, type TableSeen } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest } from './harness/millrace.js';

const MEGABYTE = 1024 * 1024;

describe('a CSV file that is not tidy', () => {
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
    expect(upload).toMatchObject({ status: 'pending', last_error: { code: problem.code, detail: problem.detail } });
    expect(upload.last_error?.errors).toEqual(problem.errors);
    return problem;
  }

  it.each<[string, string, number, string]>([
    ['too few fields', 'a,b,c\n1,2,3\n4,5\n6,7,8\n', 3, '4,5'],
    ['too many fields', 'a,b,c\n1,2,3\n4,5,6\n6,7,8,9\n', 4, '6,7,8,9'],
    ['too few fields in the last line, without a line end', 'a,b\n1,2\n3', 3, '3'],
    ['too many fields in the first line below the header', 'a,b\n1,2,3\n4,5\n', 2, '1,2,3'],
    ['too few fields behind line ends of Windows', 'a,b\r\n1,2\r\n3\r\n', 3, '3'],
    ['too few fields behind a field of several lines', 'a,b,c\n1,"x\ny\nz",3\n4,5\n', 5, '4,5'],
    ['too few fields behind empty lines', 'a,b\n1,2\n\n\n3\n4,5\n', 5, '3'],
    ['too few fields far behind any sample', `a,b\n${'1,2\n'.repeat(50_000)}3\n`, 50_002, '3'],
    ['too many fields far behind any sample', `a,b\n${'1,2\n'.repeat(50_000)}3,4,5\n6,7\n`, 50_002, '3,4,5'],
    ['a quote that is never closed', 'id,name\n1,x\n2,"y\n3,z\n', 3, '2,"y'],
    ['a quote that is never closed, in the last field', 'id,name\n1,x\n2,"y', 3, '2,"y'],
    ['text behind a closing quote', 'id,name\n1,"x"y\n2,w\n', 2, '1,"x"y'],
  ])('is refused with line and text: %s', async (_, bytes, line, text) => {
    const problem = await refused(bytes);
    expect(problem).toMatchObject({ status: 422, code: 'conversion.failed', errors: [{ line }] });
    expect(problem.detail).toMatch(new RegExp(`^Line ${line}: `));
    expect(problem.errors?.[0]?.text?.startsWith(text)).toBe(true);
    // The text is the file's, and not a library's remark on it.
    expect(bytes).toContain(problem.errors?.[0]?.text?.replace(/…$/, ''));
  });

  it('is refused when its first lines are no part of the table, and read without them', async () => {
    const bytes = 'Report of 2025\nby somebody\na,b\n1,2\n';
    expect(await refused(bytes)).toMatchObject({
      ...{ status: 422, code: 'conversion.failed', detail: expect.stringContaining('"skip": 2') },
      errors: [{ line: 1, text: 'Report of 2025' }],
    });
    await expect(read(bytes, { options: { skip: 2 } })).resolves.toMatchObject({ rows: [[1, 2]] });
    const nothing = await refused(bytes, { options: { skip: 100 } });
    expect(nothing).toMatchObject({ status: 400, code: 'conversion.no_rows' });
  });

  it('is refused when its line ends are mixed, or read as it is', async () => {
    const problem = await refused('id,name\r\n1,x\n2,y\r\n3,z\n');
    expect(problem).toMatchObject({ status: 422, code: 'conversion.failed' });
    expect(problem.detail).toContain('line ends are mixed');
  });

  it.each<[string, string, unknown[][]]>([
    ['a byte order mark', '\ufeffid,name\n1,é\n', [[1, 'é']]],
    ['a byte order mark before a quote', '\ufeff"id","name"\n"1","é"\n', [[1, 'é']]],
    ['line ends of Windows', 'id,name\r\n1,x\r\n2,y\r\n', [[1, 'x'], [2, 'y']]], // prettier-ignore
    ['line ends of the first Macs', 'id,name\r1,x\r2,y\r', [[1, 'x'], [2, 'y']]], // prettier-ignore
    ['no line end at the end', 'id,name\n1,x\n2,y', [[1, 'x'], [2, 'y']]], // prettier-ignore
    ['line ends within quotes', 'id,name\n1,"x\ny"\n2,"\n"\n3,"a\r\nb"\n', [[1, 'x\ny'], [2, '\n'], [3, 'a\r\nb']]], // prettier-ignore
    ['line ends of Windows, within quotes, too', 'id,name\r\n1,"x\r\ny"\r\n2,"z\nw"\r\n', [[1, 'x\r\ny'], [2, 'z\nw']]], // prettier-ignore
    ['delimiters and quotes within quotes', 'id,name\n1,"a,b;c\td|e"\n2,"say ""hi"""\n', [[1, 'a,b;c\td|e'], [2, 'say "hi"']]], // prettier-ignore
    ['quotes in the middle of a field', 'id,name\n1,5" pipe\n2,x"y"z\n', [[1, '5" pipe'], [2, 'x"y"z']]], // prettier-ignore
    ['backslashes', 'id,name\n1,a\\b\n2,"c:\\"\n3,\\\n', [[1, 'a\\b'], [2, 'c:\\'], [3, '\\']]], // prettier-ignore
    ['spaces around fields', 'id,name\n1,  x  \n2," y "\n', [[1, '  x  '], [2, ' y ']]], // prettier-ignore
    ['empty lines in between', 'id,name\n\n1,x\n\n\n2,y\n\n', [[1, 'x'], [2, 'y']]], // prettier-ignore
    ['all quoted', '"id","name"\n"1","x"\n"2","y"\n', [[1, 'x'], [2, 'y']]], // prettier-ignore
    ['characters of four bytes', 'id,name\n1,𝄞🎷\n2,日本語\n', [[1, '𝄞🎷'], [2, '日本語']]], // prettier-ignore
    ['control characters', 'id,name\n1,a\u0001b\n2,\u001b[0m\n', [[1, 'a\u0001b'], [2, '\u001b[0m']]], // prettier-ignore
    ['what looks like HTML, SQL and a formula', 'id,name\n1,<b>&amp;\n2,\'; DROP TABLE x --\n3,=1+1\n', [[1, '<b>&amp;'], [2, '\'; DROP TABLE x --'], [3, '=1+1']]], // prettier-ignore
  ])('is read without a change: %s', async (_, bytes, rows) => {
    const seen = await read(bytes);
    expect(seen.columns).toEqual(['id BIGINT', 'name VARCHAR']);
    expect(seen.rows).toEqual(rows);
  });

  it.each<[string, string, string[], unknown[][]]>([
    ['of text', 'name\nfoo\nbar', ['name VARCHAR'], [['foo'], ['bar']]],
    ['of numbers', 'n\n1\n2\n', ['n BIGINT'], [[1], [2]]],
    ['of numbers without a name', '1\n2\n', ['column0 BIGINT'], [[1], [2]]],
    ['with an empty line, which is a NULL', 'name\nfoo\n\nbar\n', ['name VARCHAR?'], [['foo'], [null], ['bar']]],
  ])('may have one column: %s', async (_, bytes, columns, rows) => {
    expect(await read(bytes)).toMatchObject({ columns, rows });
  });

  it('keeps a field of a megabyte', async () => {
    const long = 'abcdefghijklmnopqrstuvwxyz012345'.repeat(MEGABYTE / 32);
    const seen = await read(`id,text\n1,${long}\n2,short\n`);
    expect(seen.dataset).toMatchObject({ row_count: 2 });
    expect(seen.rows[0]?.[1] === long).toBe(true);
    expect(seen.rows[1]).toEqual([2, 'short']);
  });

  it('keeps a field of a megabyte behind a sample of short ones', async () => {
    const long = 'ü'.repeat(MEGABYTE / 2);
    const { dataset } = await read(`id,text\n${'1,short\n'.repeat(30_000)}2,"${long}"\n`);
    const isLong = `text = repeat('ü', ${MEGABYTE / 2})`;
    await expect(
      analyst.rows(`SELECT ${isLong} AS is_long, count(*) FROM datasets.${dataset.table_name} GROUP BY ALL ORDER BY ALL`),
    ).resolves.toEqual([[false, 30_000], [true, 1]]); // prettier-ignore
  });

  it('has a line that is longer than the limit', async () => {
    const problem = await refused(`id,text\n1,${'x'.repeat(17 * MEGABYTE)}\n`);
    expect(problem).toMatchObject({ status: 422, code: 'conversion.limit' });
  });

  it('has 3,000 columns, which are too many', async () => {
    const names = Array.from({ length: 3_000 }, (_, index) => `c${index}`);
    const problem = await refused(`${names.join(',')}\n${names.map((_, index) => index).join(',')}\n`);
    expect(problem).toMatchObject({ status: 422, code: 'conversion.limit' });
    expect(problem.detail).toMatch(/3000 columns.*2000/);
  });

  it('has 500 columns, each with its own value', async () => {
    const names = Array.from({ length: 500 }, (_, index) => `c${index}`);
    const { columns, rows } = await read(`${names.join(',')}\n${names.map((_, index) => index * 3).join(',')}\n`);
    expect(columns).toEqual(names.map((name) => `${name} BIGINT`));
    expect(rows).toEqual([names.map((_, index) => index * 3)]);
  });

  it('has columns with the same name and without one: each gets a name and keeps its values', async () => {
    const { columns, rows, dataset } = await read('a,a,,A,a_1,\n1,2,3,4,5,6\n');
    const names = columns.map((column) => column.replace(/ BIGINT$/, '').toLowerCase());
    expect(new Set(names).size).toBe(6);
    expect(names[0]).toBe('a');
    expect(rows).toEqual([[1, 2, 3, 4, 5, 6]]);
    expect(dataset.warnings).toHaveLength(5);
    await expect(
      analyst.rows(
        `SELECT ${columns.map((column) => `"${column.replace(/ BIGINT$/, '')}"`).join(', ')} FROM datasets.${dataset.table_name}`,
      ),
    ).resolves.toEqual(rows);
  });

  it('has names with spaces, quotes, dots and other letters', async () => {
    const { columns, rows, dataset } = await read('Cost in $,"say ""it""",a.b,日本,select\n1,2,3,4,5\n');
    expect(columns).toEqual(['Cost in $ BIGINT', 'say "it" BIGINT', 'a.b BIGINT', '日本 BIGINT', 'select BIGINT']);
    expect(rows).toEqual([[1, 2, 3, 4, 5]]);
    const sql = `SELECT "Cost in $", "say ""it""", "a.b", 日本, "select" FROM datasets.${dataset.table_name}`;
    await expect(analyst.ask(sql)).resolves.toMatchObject({
      columns: ['Cost in $', 'say "it"', 'a.b', '日本', 'select'],
      rows: [[1, 2, 3, 4, 5]],
    });
  });
});
