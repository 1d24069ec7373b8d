import { describe, expect, it } from '@jest/globals';
import { DomainError } from '@millrace/domain';
import { ALLOWED, REFUSED } from '../fixtures/cases.js';
import { RECORDED, type RecordedTree } from '../fixtures/recorded-trees.js';
import { analyzeStatement, type AnalyzedStatement } from './analyze-statement.js';
import { recognizeStatement } from './recognize-statement.js';

function recordedOf(sql: string): RecordedTree {
  const recorded = RECORDED.get(sql);
  if (!recorded) throw new Error(`No tree was recorded for: ${sql}`);
  return recorded;
}

function analyze(original: string): AnalyzedStatement {
  const { tree, statementCount } = recordedOf(original);
  return analyzeStatement({ sql: recognizeStatement(original).sql, tree, statementCount });
}

function errorOf(run: () => unknown): DomainError {
  try {
    run();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

describe('analyzeStatement', () => {
  it.each(ALLOWED.map((each) => [each.sql, each.tables] as const))('lets pass: %s', (sql, tables) => {
    const found = analyze(sql).tables.toSorted((a, b) => a.byteOffset - b.byteOffset);
    const written = found.map(
      ({ schema, name, alias }) => `${schema}.${name}${alias === undefined ? '' : ` ${alias}`}`,
    );
    expect(written).toEqual(tables);
  });

  it.each(REFUSED.map((each) => [each.sql, each] as const))('refuses: %s', (sql, { code, says, line, column }) => {
    const error = errorOf(() => analyze(sql));
    expect(error.message).toContain(says);
    expect({ code: error.code, errors: error.errors }).toEqual({
      code,
      errors: [{ message: error.message, line, column }],
    });
  });

  it('has a tree of every statement, and none of others', () => {
    expect([...RECORDED.keys()]).toEqual([...ALLOWED, ...REFUSED].map((each) => each.sql));
  });

  it('says where the tables are and which parameters are needed', () => {
    const statement = analyze('SELECT $b, $a, $b FROM datasets.t WHERE x = $a');
    expect(statement.parameters).toEqual(['b', 'a']);
    expect(statement.tables).toEqual([
      {
        ...{ schema: 'datasets', name: 't', alias: undefined, version: undefined },
        ...{ nameParts: 2, byteOffset: 23, place: { line: 1, column: 24 } },
      },
    ]);
    expect(analyze('SELECT ? + ?')).toMatchObject({ form: 'select', tables: [], parameters: ['1', '2'] });
  });

  it.each([
    ['SELECT 1', 'select'],
    ['FROM (DESCRIBE datasets.sales)', 'select'],
    ['DESCRIBE datasets.sales', 'inspect'],
    ['SUMMARIZE datasets.sales', 'inspect'],
    ['SHOW datasets.sales', 'inspect'],
    ['SHOW TABLES', 'showTables'],
    ['SHOW TABLES FROM datasets', 'showTables'],
    ['show all tables;', 'showAllTables'],
    ['DESCRIBE', 'showAllTables'],
  ])('says how %j is answered', (sql, form) => {
    expect(analyze(sql).form).toBe(form);
  });
});
