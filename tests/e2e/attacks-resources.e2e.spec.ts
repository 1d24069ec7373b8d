import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { Siege } from './harness/siege.js';
import { killWorkingEngines } from './harness/working-engines.js';

/** Several are needed by one statement on a machine that is busy with other things. */
const TEST_MAX_MS = 180_000;
/** Enough for a statement that runs into its memory. */
const ROOMY_MS = 60_000;
const SHORT_MS = 1_000;

describe('an attack by a statement that wants everything', () => {
  let siege: Siege;

  beforeAll(async () => {
    siege = await Siege.start({ QUERY_MEMORY_BYTES: String(768 * 1024 * 1024) });
  });
  afterAll(() => siege.stop());

  const refusal = (sql: string, timeoutMs = ROOMY_MS) =>
    siege.survive(() => siege.attacker.refusedSql(sql, { timeout_ms: timeoutMs }));

  it.each([
    ['a text of 4 GB', "SELECT length(repeat('x', 4000000000))"],
    ['a list of 400 million numbers', 'SELECT len(range(400000000))'],
    ['the median of many rows', 'SELECT median(random() + range) FROM range(300000000)'],
    ['one list of all rows', 'SELECT list(md5(range::VARCHAR)) FROM range(50000000)'],
  ])(
    'ends in query.memory: %s',
    async (_, sql) => {
      expect(await refusal(sql)).toMatchObject({ status: 422, code: 'query.memory', retryable: false });
    },
    TEST_MAX_MS,
  );

  it.each([
    ['levenshtein of two long texts', "SELECT levenshtein(repeat('ab', 60000), repeat('ba', 60000))"],
    [
      'a cross join that never ends',
      'SELECT count(*) FROM range(100000000000) a, range(100) b WHERE hash(a.range) = 1',
    ],
    [
      'a recursion that never ends',
      'WITH RECURSIVE t AS (SELECT 1 n UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t',
    ],
  ])(
    'ends in query.deadline: %s',
    async (_, sql) => {
      const problem = await refusal(sql, SHORT_MS);
      expect(problem).toMatchObject({ status: 504, code: 'query.deadline', retryable: false });
    },
    TEST_MAX_MS,
  );

  it.each([
    ['around a number', `SELECT ${'('.repeat(900)}1${')'.repeat(900)}`],
    ['around a statement', `${'('.repeat(900)}SELECT 1${')'.repeat(900)}`],
  ])('is none: 900 parentheses %s', async (_, sql) => {
    expect(await siege.survive(() => siege.attacker.rows(sql))).toEqual([[1]]);
  });

  it.each([
    ['with sums', '(1 + ', '1', ')'],
    ['of calls', 'abs(', '1', ')'],
    ['of rows', '(1, ', '1', ')'],
    ['of subqueries', '(SELECT ', '1', ')'],
    ['as brackets', '[', '1', ']'],
  ])('ends in sql.not_allowed: 900 parentheses %s', async (_, open, middle, close) => {
    const problem = await refusal(`SELECT ${open.repeat(900)}${middle}${close.repeat(900)}`);
    expect(problem).toMatchObject({ status: 422, code: 'sql.not_allowed', retryable: false });
  });

  it.each(['(', 'abs(', '(1 + '])('ends in sql.syntax: 900 of %s that are never closed', async (open) => {
    const problem = await refusal(`SELECT ${open.repeat(900)}1`);
    expect(problem).toMatchObject({ status: 422, code: 'sql.syntax', retryable: false });
  });

  it('ends in a typed error: 200,000 brackets that are never closed', async () => {
    const problem = await refusal(`SELECT ${'['.repeat(200_000)}`);
    expect(problem).toMatchObject({ status: 422, retryable: false });
    expect(['sql.invalid', 'sql.syntax', 'query.memory', 'query.crashed']).toContain(problem.code);
  });

  it(
    'does not keep a sort from its end that has to go to the disk',
    async () => {
      const sql = 'SELECT i, repeat(md5(i::VARCHAR), 8) AS s FROM range(1800000) t(i) ORDER BY s';
      const answer = await siege.survive(() => siege.attacker.ask(sql, { timeout_ms: ROOMY_MS * 2, limit_rows: 2 }));
      expect(answer).toMatchObject({ total_row_count: 1_800_000, truncated: true });
      const [first = '', second = ''] = answer.rows.map(([, text]) => JSON.stringify(text));
      expect(first < second).toBe(true);
    },
    TEST_MAX_MS,
  );

  it('ends in query.crashed: SIGKILL from outside', async () => {
    const sql = 'SELECT count(*) FROM datasets.own, range(100000000000) WHERE hash(range + number) = 1';
    const enginesFolder = join(siege.millrace.dataFolder, 'engine', 'query');
    const problem = await siege.survive(async () => {
      const ended = siege.attacker.refusedSql(sql, { timeout_ms: ROOMY_MS });
      await eventually('it runs', async () => {
        const { body } = await siege.attacker.client.call('query.list', { query: { status: 'running' } });
        return body.queries.length > 0;
      });
      const isTheirs = await siege.isOfAttacker();
      await eventually('it is killed', async () => (await killWorkingEngines(enginesFolder, isTheirs)) > 0);
      return ended;
    });
    expect(problem).toMatchObject({ status: 503, code: 'query.crashed', retryable: true });
  });
});
