import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest } from './harness/millrace.js';

/** Each is a column of its own, also without regard to case. */
const DISTINCT = [
  ...['select', 'a.b', 'x\ny', ' ', ' lead', 'é', '日本😀', 'e\u0301', "it's", 'q"q', '{}', '%s', '--', 'a,b'],
  ...['__proto__', 'constructor', 'toString', 'rowid', 'n'.repeat(10_000)],
];
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

describe('the names of columns', () => {
  let millrace: MillraceUnderTest;
  let analyst: Analyst;

  beforeAll(async () => {
    millrace = await startMillrace();
    analyst = new Analyst((await millrace.newTenant()).asAdmin);
  });
  afterAll(() => millrace.stop());

  const readyResult = (id: string) =>
    eventually(`result ${id} is ready`, async () => {
      const { body } = await analyst.client.call('result.get', { path: { id } });
      return body.status === 'ready' && body;
    });

  it('are those of the statement, in the answer and in its result', async () => {
    const names = [...DISTINCT, 'a', 'a', 'A'];
    const rows = [names.map((_, index) => index)];
    const answer = await analyst.ask(`SELECT ${names.map((name, index) => `${index} AS ${quoted(name)}`).join(', ')}`);
    expect(answer).toMatchObject({ columns: names, rows });
    expect(await readyResult(answer.result_id)).toMatchObject({ columns: names, rows });
    const unique = [...DISTINCT, 'a', 'a_1', 'A_2'];
    const again = await analyst.ask(`SELECT ${unique.map(quoted).join(', ')} FROM results.${answer.result_id}`);
    expect(again).toMatchObject({ columns: unique, rows });
  });

  it('are those of a CSV header and of the keys in JSON', async () => {
    const names = DISTINCT.filter((name) => name.trim() === name && name !== '');
    const rows = [names.map((_, index) => index)];
    const csv = `${names.map(quoted).join(',')}\n${names.map((_, index) => index).join(',')}\n`;
    const json = `{${names.map((name, index) => `${JSON.stringify(name)}: ${index}`).join(', ')}}`;
    for (const [bytes, type] of [
      [csv, 'text/csv'],
      [json, 'application/x-ndjson'],
    ] as const) {
      const table = await analyst.tableOf({ bytes, type });
      expect(table.dataset.columns.map(({ name }) => name)).toEqual(names);
      expect(table.rows).toEqual(rows);
      const selected = `SELECT ${names.map(quoted).join(', ')} FROM datasets.${table.dataset.table_name}`;
      expect(await analyst.rows(selected)).toEqual(rows);
    }
  });

  it('are needed: a statement without columns is refused', async () => {
    const problem = await analyst.refusedSql('SELECT * EXCLUDE (a) FROM (SELECT 1 AS a)');
    expect(problem).toMatchObject({ status: 422, code: 'sql.invalid' });
  });
});
