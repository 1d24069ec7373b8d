import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ParseResult } from '../tasks/parse.task.js';
import { PoolFixture } from '../../test/pool-fixture.js';

describe('parse', () => {
  let fixture: PoolFixture;
  const parse = (sql: string): Promise<ParseResult> =>
    fixture.pool.run({ kind: 'parse', sql }, { tenantId: 'tenant-a', deadlineMs: 30_000 });

  beforeAll(async () => {
    fixture = await PoolFixture.open({ memoryBytes: 1.5 * 1024 ** 3 });
  });
  afterAll(() => fixture.close());

  it('gives what the gate let pass', async () => {
    expect(await parse("SELECT 'é', abs($x) FROM datasets.sales s AT (VERSION => 3)")).toEqual({
      statement: {
        ...{ form: 'select', parameters: ['x'] },
        tables: [
          {
            ...{ schema: 'datasets', name: 'sales', alias: 's', version: { unit: 'version', value: 3 } },
            ...{ nameParts: 2, byteOffset: 26, place: { line: 1, column: 26 } },
          },
        ],
      },
    });
  });

  it.each([
    ["SELECT 'é€😀',\n  'é' fro m x", 'sql.syntax', 'near "m"', 2, 11],
    ['/* é */ WITH a AS (SELECT 1) INSERT INTO t FROM a', 'sql.not_allowed', 'INSERT', 1, 30],
    ['FROM (PIVOT t ON x USING sum(y))', 'sql.not_allowed', 'PIVOT needs its values', 1, 7],
    ['SELECT 1; DELETE FROM x', 'sql.not_allowed', 'one statement', 1, 11],
    ["ATTACH ':memory:' AS x", 'sql.not_allowed', 'ATTACH is not allowed', 1, 1],
    ["FROM datasets.sales, '/etc/passwd'", 'table.unknown', '/etc/passwd', 1, 22],
  ])('refuses %j, with its place', async (sql, code, words, line, column) => {
    await expect(parse(sql)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
      errors: [{ message: expect.any(String), line, column }],
    });
  });

  it.each([
    ['a list of 100,000 numbers', `SELECT 1 IN (${Array.from({ length: 100_000 }, (_, index) => index).join(', ')})`],
    ['1 MiB of numbers', `SELECT [${Array.from({ length: 130_000 }, (_, index) => 1_000_000 + index).join(',')}]`],
    ['1 MiB of rows', `VALUES ${Array.from({ length: 85_000 }, (_, index) => `(${index}, 'a')`).join(',')}`],
    ['1 MiB of text', `SELECT '${'é'.repeat(500_000)}'`],
  ])('takes %s', async (_, sql) => {
    await expect(parse(sql)).resolves.toMatchObject({ statement: { form: 'select', tables: [] } });
  });

  it('says what to do about a statement with too many parts, and goes on', async () => {
    const calls = `SELECT [${Array.from({ length: 205_000 }, () => '-a+b').join(',')}]`;
    await expect(parse(calls)).rejects.toMatchObject({
      code: 'query.memory',
      message: 'The statement has too many parts. Put long lists into a dataset, and join it.',
    });
    await expect(parse('SELECT 1')).resolves.toMatchObject({ statement: { form: 'select' } });
  });

  it('ends a statement that takes too long to parse, and goes on', async () => {
    const deep = `SELECT ${'['.repeat(20_000)}`;
    await parse(deep).catch((error: unknown) => error);
    await expect(parse('SELECT 1')).resolves.toMatchObject({ statement: { form: 'select' } });
  });
});
