import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ALLOWED } from '../fixtures/cases.js';
import { RECORDED } from '../fixtures/recorded-trees.js';
import { analyzeStatement, type AnalyzedStatement } from './analyze-statement.js';
import { findAtClauses, refuseVersions, withoutAtClauses } from './at-clause.js';
import { placeOf } from './text-place.js';

/** A table at each `datasets.` of a text. */
const namesIn = (sql: string) =>
  [...sql.matchAll(/datasets\.(?:main\.)?(?=\w)/g)].map(({ index, 0: prefix }) => ({
    byteOffset: Buffer.byteLength(sql.slice(0, index)),
    nameParts: prefix.split('.').length,
  }));

describe('the text of AT', () => {
  it.each([
    ['FROM datasets.a AT (VERSION => 1)', 'FROM datasets.a                  '],
    ['FROM datasets.a s AT(VERSION=>1), x', 'FROM datasets.a s               , x'],
    ['FROM datasets.main.at AS "at (" AT (VERSION => 1)', 'FROM datasets.main.at AS "at ("                  '],
    ['FROM datasets.at at(version => 1)', 'FROM datasets.at                 '],
    ['FROM datasets.a s(at, b) AT (VERSION => 1)', 'FROM datasets.a s(at, b)                  '],
    ["FROM datasets.a AT (TIMESTAMP => ')' -- )\n)\nWHERE x", 'FROM datasets.a                          \n \nWHERE x'],
    [
      'FROM datasets.a AT /* ( /* ) */ */ (VERSION => ((1))) -- x',
      'FROM datasets.a                                       -- x',
    ],
    ["FROM datasets.a AT (TIMESTAMP => 'é😀') x", `FROM datasets.a${' '.repeat(28)}x`],
    ['FROM datasets.a /* AT (1) */ AT (VERSION => 1)', 'FROM datasets.a /* AT (1) */                  '],
    ['FROM datasets.a AT (TIMESTAMP => $a$)$a$) b', 'FROM datasets.a                           b'],
    [
      'FROM datasets.a AT (VERSION => 1) a, datasets.b x AT (VERSION => 22)',
      'FROM datasets.a                   a, datasets.b x                   ',
    ],
  ])('becomes spaces in %j', (sql, expected) => {
    expect(withoutAtClauses(sql, namesIn(sql))).toBe(expected);
  });

  it('is missed when it is not there', () => {
    expect(() => withoutAtClauses('FROM datasets.a', [{ byteOffset: 5, nameParts: 2 }])).toThrow('was not found');
  });

  it('is where a version that can not be read yet is refused', () => {
    const sql = "SELECT 'é' FROM datasets.a, datasets.b b AT (VERSION => 1)";
    const [a, b] = namesIn(sql).map((name) => ({ ...name, version: undefined }));
    expect(() =>
      refuseVersions(
        sql,
        [a, b].flatMap((table) => table ?? []),
      ),
    ).not.toThrow();
    const versioned = { ...namesIn(sql)[1], version: { unit: 'version', value: 1 } } as never;
    expect(() => refuseVersions(sql, [versioned])).toThrow(
      expect.objectContaining({
        code: 'sql.not_allowed',
        errors: [{ message: expect.stringContaining('not supported yet'), line: 1, column: 42 }],
      }),
    );
  });

  it('is looked for once, however many tables are said to have one', () => {
    const sql = 'FROM datasets.a AT (VERSION => 1), datasets.b';
    const versioned = namesIn(sql).map((name) => ({ ...name, version: { unit: 'version', value: 1 } }) as never);
    expect(() => refuseVersions(sql, versioned)).toThrow(expect.objectContaining({ code: 'sql.not_allowed' }));
  });

  it('leaves every byte and every line where it was', () => {
    const piece = fc.constantFrom('é', '😀', ')', '(', "''", '\n', '\r\n', 'AT (', '--', '/*', ' ');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const sql = `FROM datasets.a AT (TIMESTAMP => '${pieces.join('')}')\nWHERE tail`;
        const [range] = findAtClauses(sql, namesIn(sql));
        expect(sql.slice(range?.end)).toBe('\nWHERE tail');
        const cut = withoutAtClauses(sql, namesIn(sql));
        expect(Buffer.byteLength(cut)).toBe(Buffer.byteLength(sql));
        expect(placeOf(cut, Buffer.byteLength(sql) - 4)).toEqual(placeOf(sql, Buffer.byteLength(sql) - 4));
      }),
    );
  });

  it('is cut a thousand times as fast as once', () => {
    const sql = `SELECT 1 FROM ${Array.from({ length: 1_000 }, () => `datasets.t${' '.repeat(900)} AT (VERSION => 1)`).join(', ')}`;
    expect(withoutAtClauses(sql, namesIn(sql))).toHaveLength(sql.length);
  });
});

describe('the version of a table', () => {
  const versionsOf = (sql: string): unknown[] => analyzed(sql).tables.map(({ version }) => version);

  it('is what AT says', () => {
    const versions = ALLOWED.filter(({ sql }) => /\bAT\b.*=>/is.test(sql)).map(({ sql }) => versionsOf(sql));
    expect(versions).toEqual([
      [{ unit: 'version', value: 3 }],
      [{ unit: 'timestamp', value: '2020-01-01' }],
      [
        { unit: 'timestamp', value: '2020-01-01 (x)' },
        { unit: 'version', value: -2 },
      ],
      [{ unit: 'timestamp', value: '2020-01-01' }],
      [{ unit: 'version', value: 1 }],
    ]);
    expect(versionsOf('FROM datasets.sales')).toEqual([undefined]);
  });

  it('leaves a text without AT', () => {
    for (const { sql } of ALLOWED.filter((each) => /\bAT\b.*=>/is.test(each.sql))) {
      expect(withoutAtClauses(sql, analyzed(sql).tables)).not.toMatch(/=>/);
    }
  });
});

function analyzed(sql: string): AnalyzedStatement {
  const recorded = RECORDED.get(sql);
  if (!recorded) throw new Error(`No tree was recorded for: ${sql}`);
  return analyzeStatement({ sql, tree: recorded.tree, statementCount: recorded.statementCount });
}
