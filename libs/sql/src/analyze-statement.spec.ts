import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { DomainError } from '@millrace/domain';
import { ALLOWED, REFUSED } from '../fixtures/cases.js';
import { analyzeStatement, type AnalyzedStatement } from './analyze-statement.js';
import { recognizeStatement } from './recognize-statement.js';

interface Recorded {
  readonly sql: string;
  readonly statementCount: number;
  readonly tree: unknown;
}

const RECORDED = new Map(
  readFileSync(new URL('../fixtures/trees.ndjson', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Recorded)
    .map((recorded) => [recorded.sql, recorded]),
);

function recordedOf(sql: string): Recorded {
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

  it('says where the tables are, what is called and which parameters are needed', () => {
    const statement = analyze('SELECT $b, $a, $b FROM datasets.t WHERE x = $a');
    expect(statement.parameters).toEqual(['b', 'a']);
    expect(statement.tables).toEqual([
      { schema: 'datasets', name: 't', alias: undefined, byteOffset: 23, place: { line: 1, column: 24 } },
    ]);
    expect(analyze('SELECT ? + ?')).toEqual({ tables: [], functions: ['+'], parameters: ['1', '2'] });
    expect(analyze('VALUES (1, 2), (3, abs(-4))').functions).toEqual(['abs']);
  });
});
