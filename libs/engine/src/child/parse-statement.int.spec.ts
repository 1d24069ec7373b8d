import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { analyzeStatement } from '@millrace/sql';
import type { ParseResult } from '../tasks/parse.task.js';
import { PoolFixture } from '../../test/pool-fixture.js';

describe('parse', () => {
  let fixture: PoolFixture;
  const parse = (sql: string): Promise<ParseResult> =>
    fixture.pool.run({ kind: 'parse', sql }, { tenantId: 'tenant-a', deadlineMs: 10_000 });

  beforeAll(async () => {
    fixture = await PoolFixture.open();
  });
  afterAll(() => fixture.close());

  it('gives the syntax tree of a SELECT', async () => {
    const { statementCount, tree } = await parse('SELECT a FROM datasets.sales s AT (VERSION => 3)');
    expect(statementCount).toBe(1);
    expect(JSON.stringify(tree)).toContain('"at_clause"');
  });

  it('hands over what DuckDB says about a syntax error, its place in characters', async () => {
    expect(await parse("SELECT 'é€😀',\n  'é' fro m x")).toEqual({
      statementCount: 0,
      tree: expect.objectContaining({ error: true, error_type: 'parser', position: '24' }),
    });
  });

  it.each([
    ['INSERT INTO t VALUES (1)', 1],
    ["ATTACH ':memory:' AS x", 1],
    ['EXPLAIN SELECT 1', 1],
    ['PIVOT t ON x USING sum(y)', 2],
  ])('hands over that %j is no SELECT', async (sql, statementCount) => {
    expect(await parse(sql)).toEqual({
      statementCount,
      tree: expect.objectContaining({ error: true, error_type: 'not implemented' }),
    });
  });

  it.each([
    ["SELECT 'é€😀',\n  'é' fro m x", 'sql.syntax', 'near "m"', 2, 11],
    ['/* é */ WITH a AS (SELECT 1) INSERT INTO t FROM a', 'sql.not_allowed', 'INSERT', 1, 30],
    ['FROM (PIVOT t ON x USING sum(y))', 'sql.not_allowed', 'PIVOT needs its values', 1, 7],
    ['SELECT 1; DELETE FROM x', 'sql.not_allowed', 'one statement', 1, 11],
  ])('gives the gate what it needs to refuse %j', async (sql, code, words, line, column) => {
    const parsed = await parse(sql);
    expect(() => analyzeStatement({ sql, ...parsed })).toThrow(
      expect.objectContaining({
        code,
        message: expect.stringContaining(words),
        errors: [{ message: expect.any(String), line, column }],
      }),
    );
  });

  it.each([
    ['', 0],
    ['-- nothing', 0],
    ['SELECT 1;', 1],
    ['SELECT 1; SELECT 2', 2],
    ['SELECT 1; DELETE FROM x', 2],
  ])('counts the statements of %j', async (sql, count) => {
    expect((await parse(sql)).statementCount).toBe(count);
  });

  it('ends a statement that takes too long to parse, and goes on', async () => {
    const deep = `SELECT ${'['.repeat(20_000)}`;
    await parse(deep).catch((error: unknown) => error);
    expect((await parse('SELECT 1')).statementCount).toBe(1);
  });
});
