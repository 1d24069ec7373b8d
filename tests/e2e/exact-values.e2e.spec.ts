import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { Analyst } from './harness/analyst.js';
import { startMillrace, type MillraceUnderTest } from './harness/millrace.js';

/** What DuckDB writes otherwise than the contract, and where a NULL between values is another case. */
const VALUES: readonly (readonly [sql: string, type: string, json: unknown])[] = [
  ['0.5::DECIMAL(1,1)', 'DECIMAL(1,1)', 0.5],
  ["'-0.12345678901234567890'::DECIMAL(20,20)", 'DECIMAL(20,20)', '-0.12345678901234567890'],
  ['9007199254740991::BIGNUM', 'BIGNUM', 9_007_199_254_740_991],
  ['9007199254740993::BIGNUM', 'BIGNUM', '9007199254740993'],
  ["'12:00:00-00:00:01'::TIMETZ", 'TIME WITH TIME ZONE', '12:00:00-00:00:01'],
  ["'294247-01-10 04:00:54.775806+00'::TIMESTAMPTZ", 'TIMESTAMP WITH TIME ZONE', '294247-01-10T04:00:54.775806Z'],
  ['to_months(1)', 'INTERVAL', 'P1M'],
  ['to_days(30)', 'INTERVAL', 'P30D'],
  ["{'i': to_days(1), 'a': [1, 2]::INTEGER[2]}", 'STRUCT(i INTERVAL, a INTEGER[2])', { i: 'P1D', a: [1, 2] }],
  ["MAP {'1': 1, '01': 2}::MAP(HUGEINT, INTEGER)", 'MAP(HUGEINT, INTEGER)', [{ key: 1, value: 1 }, { key: 1, value: 2 }]], // prettier-ignore
  ["row(1::HUGEINT, 'x')", 'STRUCT(HUGEINT, VARCHAR)', [1, 'x']],
];

describe('awkward values over HTTP', () => {
  let millrace: MillraceUnderTest;
  let analyst: Analyst;

  beforeAll(async () => {
    millrace = await startMillrace();
    analyst = new Analyst((await millrace.newTenant()).asAdmin);
  });
  afterAll(() => millrace.stop());

  it('are exact in the answer, in the result, and in a result of the result', async () => {
    const types = VALUES.map(([, type]) => type);
    const rows = [VALUES.map(([, , json]) => json), VALUES.map(() => null)];
    const items = VALUES.map(([sql], index) => `${sql} AS v${index}`).join(', ');
    const first = await analyst.ask(`SELECT ${items} UNION ALL SELECT ${VALUES.map(() => 'NULL').join(', ')}`);
    expect(first).toMatchObject({ types, rows });
    const page = await eventually('the result is ready', async () => {
      const { body } = await analyst.client.call('result.get', { path: { id: first.result_id } });
      return body.status === 'ready' && body;
    });
    expect(page).toMatchObject({ types, rows });
    await expect(analyst.ask(`FROM results.${first.result_id}`)).resolves.toMatchObject({ types, rows });
  });

  it.each(["{'a': 1}::VARIANT", "'POINT(1 2)'::GEOMETRY"])('that can not be kept are refused: %s', async (sql) => {
    const problem = await analyst.refusedSql(`SELECT ${sql} AS v`);
    expect(problem).toMatchObject({ status: 422, code: 'sql.invalid', detail: expect.stringContaining('cast it') });
  });
});
