import { describe, expect, it } from '@jest/globals';
import { DomainError, SQL_BYTES_MAX } from '@millrace/domain';
import { findSecondStatement, recognizeStatement } from './recognize-statement.js';

function errorOf(sql: string): DomainError {
  try {
    recognizeStatement(sql);
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error(`Recognised: ${sql}`);
}

describe('recognizeStatement', () => {
  it.each([
    ['SELECT 1', 'SELECT'],
    ['  -- a\n\t/* b /* c */ d */ ;; select 1', 'SELECT'],
    ['/* COPY */ from x', 'FROM'],
    ['(SELECT 1)', undefined],
    ['\ufeffWITH x AS (SELECT 1) FROM x', 'WITH'],
    ['SELEC 1', 'SELEC'],
    ['"COPY" x', undefined],
    ['copyright', 'COPYRIGHT'],
    ['-- COPY x\rSELECT 1', 'SELECT'],
  ])('sees the first word of %j', (sql, keyword) => {
    expect(recognizeStatement(sql).keyword).toBe(keyword);
  });

  it.each(['', ' \n\t', ';', ' ; ;; ', '-- nothing', '/* nothing */', '/* not closed', '\u00a0\u3000;'])(
    'says that %j is empty',
    (sql) => {
      expect(errorOf(sql).code).toBe('sql.empty');
    },
  );

  it.each([
    'INSERT INTO x VALUES (1)',
    'UPDATE x SET a = 1',
    'DELETE FROM x',
    'MERGE INTO x USING y ON true',
    'TRUNCATE x',
    'CREATE TABLE x (a INT)',
    'ALTER TABLE x ADD b INT',
    'DROP TABLE x',
    "COPY x TO '/tmp/x'",
    "EXPORT DATABASE 'x'",
    "IMPORT DATABASE 'x'",
    "ATTACH ':memory:'",
    'DETACH x',
    'USE x',
    'SET threads = 1',
    'RESET threads',
    'PRAGMA database_list',
    'CALL enable_logging()',
    'PREPARE x AS SELECT 1',
    'EXECUTE x',
    'DEALLOCATE x',
    'INSTALL httpfs',
    'LOAD httpfs',
    'FORCE INSTALL httpfs',
    'BEGIN',
    'COMMIT',
    'ROLLBACK',
    'CHECKPOINT',
    'VACUUM',
    'ANALYZE',
    'COMMENT ON TABLE x IS NULL',
  ])('does not allow %j', (sql) => {
    const error = errorOf(`-- é\n  ${sql.toLowerCase()}`);
    expect(error.code).toBe('sql.not_allowed');
    expect(error.message).toContain(`${sql.split(/[\s;]/)[0]} is not allowed. A statement may only read`);
    expect(error.errors).toEqual([{ message: error.message, line: 2, column: 3 }]);
  });

  it.each(['DESCRIBE x', 'DESC x', 'SUMMARIZE x', 'SHOW TABLES'])('lets %j go to the parser', (sql) => {
    expect(recognizeStatement(sql)).toEqual({ sql, keyword: sql.split(' ')[0], explain: undefined });
  });

  it('counts the bytes of a statement, not its characters', () => {
    const text = (characters: number): string => `SELECT '${'é'.repeat(characters)}'`;
    const most = (SQL_BYTES_MAX - 9) >> 1;
    expect(recognizeStatement(text(most)).keyword).toBe('SELECT');
    expect(errorOf(text(most + 1)).code).toBe('sql.too_long');
    expect(errorOf('x'.repeat(SQL_BYTES_MAX + 1)).code).toBe('sql.too_long');
  });

  it('refuses a NUL, behind which DuckDB would not read', () => {
    const error = errorOf('SELECT 1 \0; DROP TABLE x');
    expect(error).toMatchObject({ code: 'sql.syntax', errors: [{ line: 1, column: 10 }] });
  });

  it('takes long comments and quotes in its stride', () => {
    for (const part of ["'", "''", '"', '/*', '*/', '--\n', '$', '$a$', "e'\\", ';', ' ', '\u00a0']) {
      try {
        recognizeStatement(part.repeat(Math.floor(SQL_BYTES_MAX / Buffer.byteLength(part))));
      } catch (error) {
        expect(error).toBeInstanceOf(DomainError);
      }
      findSecondStatement(`SELECT ${part.repeat(100_000)}`);
    }
  });
});

describe('the spaces of the statement', () => {
  it('become plain where DuckDB takes them for spaces', () => {
    expect(recognizeStatement('SELECT\u00a01,\u2003\u200b2\u3000').sql).toBe('SELECT 1,  2 ');
  });

  it.each([
    "SELECT '\u00a0'",
    'SELECT "\u00a0"',
    'SELECT $$\u00a0$$',
    'SELECT $a$\u00a0$b$\u00a0$a$',
    'SELECT 1 --\u00a0',
  ])('stay what they are in %j', (sql) => {
    expect(recognizeStatement(sql).sql).toBe(sql);
  });
});

describe('findSecondStatement', () => {
  it.each([
    ['SELECT 1', undefined],
    [';; SELECT 1 ;; -- x\n;', undefined],
    ["SELECT ';', \"a;b\", $$;$$, $x$;$y$;$x$, e'\\';' /* ; */ -- ;", undefined],
    ['SELECT 1; x', 10],
    ["SELECT 'it''s'; ;\n  COPY", 20],
  ])('%j', (sql, index) => {
    expect(findSecondStatement(sql)).toBe(index);
  });
});

describe('EXPLAIN', () => {
  const text = { analyze: false, format: 'text' };

  it.each([
    ['EXPLAIN SELECT 1', '        SELECT 1', 'SELECT', text],
    ['explain\tanalyse FROM x', '       \t        FROM x', 'FROM', { ...text, analyze: true }],
    ['EXPLAIN (SELECT 1)', '        (SELECT 1)', undefined, text],
    ['EXPLAIN ANALYZE (SELECT 1)', '                (SELECT 1)', undefined, { ...text, analyze: true }],
    ['EXPLAIN(FORMAT json)SELECT 1', '                    SELECT 1', 'SELECT', { ...text, format: 'json' }],
    [
      "EXPLAIN (ANALYZE, FORMAT 'JSON') SELECT 1",
      `${' '.repeat(33)}SELECT 1`,
      'SELECT',
      { analyze: true, format: 'json' },
    ],
    [
      'EXPLAIN (FORMAT mermaid, ANALYZE) DESC x',
      `${' '.repeat(34)}DESC x`,
      'DESC',
      { analyze: true, format: 'mermaid' },
    ],
    [
      ';;-- é\nEXPLAIN /* 日 */ (FORMAT -- a)\ntext) SELECT 1;',
      ';;-- é\n        /* 日 */         -- a)\n      SELECT 1;',
      'SELECT',
      text,
    ],
  ])('is taken off %j, so that every place stays what it was', (original, sql, keyword, explain) => {
    expect(recognizeStatement(original)).toEqual({ sql, keyword, explain });
  });

  it.each([
    ['EXPLAIN (FORMAT html) SELECT 1', 'EXPLAIN takes ANALYZE and FORMAT', 17],
    ['EXPLAIN (FORMAT yaml) SELECT 1', 'EXPLAIN takes ANALYZE and FORMAT', 17],
    ['EXPLAIN (FORMAT, ANALYZE) SELECT 1', 'EXPLAIN takes ANALYZE and FORMAT', 16],
    ['EXPLAIN (ANALYZE false) SELECT 1', 'EXPLAIN takes ANALYZE and FORMAT', 18],
    ['EXPLAIN (VERBOSE) SELECT 1', 'EXPLAIN takes ANALYZE and FORMAT', 10],
    ['EXPLAIN (FORMAT json', 'EXPLAIN takes ANALYZE and FORMAT', 1],
    ['EXPLAIN ANALYZE INSERT INTO x VALUES (1)', 'INSERT is not allowed', 17],
    ['EXPLAIN (ANALYZE) DELETE FROM x', 'DELETE is not allowed', 19],
    ["EXPLAIN COPY x TO 'y'", 'COPY is not allowed', 9],
    ['EXPLAIN EXPLAIN SELECT 1', 'EXPLAIN is not allowed', 9],
    ['EXPLAIN ANALYZE ANALYZE', 'ANALYZE is not allowed', 17],
    ['EXPLAIN', 'needs a statement', 1],
    ['EXPLAIN (ANALYZE) -- x', 'needs a statement', 1],
    ['EXPLAIN; SELECT 1', 'needs a statement', 1],
  ])('refuses %j', (sql, says, column) => {
    const error = errorOf(sql);
    expect(error.message).toContain(says);
    expect(error.errors).toEqual([{ message: error.message, line: 1, column }]);
  });
});
