import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ParseResult } from '../tasks/parse.task.js';
import { PoolFixture } from '../../test/pool-fixture.js';

describe('parse', () => {
  let fixture: PoolFixture;
  const parse = (sql: string): Promise<ParseResult> =>
    fixture.pool.run({ kind: 'parse', sql }, { tenantId: undefined, deadlineMs: 10_000 });

  beforeAll(async () => {
    fixture = await PoolFixture.open();
  });
  afterAll(() => fixture.close());

  it('gives the syntax tree of a SELECT', async () => {
    const { statementCount, tree } = await parse('SELECT a FROM datasets.sales s AT (VERSION => 3)');
    expect(statementCount).toBe(1);
    expect(JSON.stringify(tree)).toContain('"at_clause"');
  });

  it('says line and column of a syntax error, in characters', async () => {
    await expect(parse("SELECT 'é€😀',\n  'é' fro m x")).rejects.toMatchObject({
      code: 'sql.syntax',
      errors: [{ line: 2, column: 11, message: expect.stringContaining('"m"') }],
    });
  });

  it.each([
    ['INSERT INTO t VALUES (1)', 'INSERT'],
    ['/* x */ update t set a = 1', 'UPDATE'],
    ['EXPLAIN SELECT 1', 'EXPLAIN'],
    ["ATTACH ':memory:' AS x", 'ATTACH'],
    ["COPY t TO 'x'", 'COPY'],
    ['SET threads = 1', 'SET'],
    ['PIVOT t ON x USING sum(y)', 'PIVOT needs its values'],
  ])('refuses %j', async (sql, words) => {
    await expect(parse(sql)).rejects.toMatchObject({
      code: 'sql.not_allowed',
      message: expect.stringContaining(words),
    });
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
