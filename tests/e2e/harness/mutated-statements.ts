import fc from 'fast-check';

/** Statements of every kind that pass, as where mutations begin. Each reads the tables `own` or none. */
const SEEDS = [
  'SELECT 1',
  'SELECT number, word FROM datasets.own WHERE number > 1 ORDER BY number DESC LIMIT 2',
  'FROM datasets.own',
  'FROM datasets.main.own o SELECT o.number',
  'VALUES (1, 2), (3, 4)',
  'WITH a AS (FROM datasets.own), b AS MATERIALIZED (SELECT max(number) m FROM a) SELECT * FROM a, b',
  'WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t',
  'SELECT word, count(*) FILTER (number > 1) OVER (PARTITION BY word ORDER BY number ROWS 1 PRECEDING) FROM datasets.own',
  'SELECT * FROM datasets.own a JOIN datasets.own b USING (number) NATURAL JOIN datasets.own c',
  'SELECT * FROM datasets.own a ASOF JOIN datasets.own b ON a.number >= b.number',
  'SELECT * FROM datasets.own POSITIONAL JOIN range(3)',
  'SELECT * FROM datasets.own, LATERAL (SELECT number + 1 AS next)',
  'SELECT (SELECT max(number) FROM datasets.own WHERE word = o.word) FROM datasets.own o',
  'SELECT number FROM datasets.own WHERE EXISTS (FROM datasets.own) AND number IN (SELECT unnest([1, 2]))',
  "PIVOT datasets.own ON word IN ('a', 'b') USING sum(number)",
  'UNPIVOT datasets.own ON number INTO NAME n VALUE v',
  'SELECT COLUMNS(*) FROM datasets.own',
  'SELECT * EXCLUDE (word) REPLACE (number * 2 AS number) FROM datasets.own',
  'SELECT list_transform([1, 2, 3], lambda x: x + 1), [x * 2 FOR x IN [1, 2] IF x > 1]',
  "SELECT {'a': 1, 'b': [1, 2]}, MAP {'k': 1}, 'x'::VARCHAR, CAST(1 AS DECIMAL(10, 2)), INTERVAL 1 DAY",
  'SELECT CASE WHEN number > 1 THEN word ELSE NULL END FROM datasets.own QUALIFY row_number() OVER () = 1',
  'SELECT number FROM datasets.own UNION BY NAME SELECT 4 AS number EXCEPT SELECT 2 INTERSECT SELECT 3',
  'SELECT word, sum(number) FROM datasets.own GROUP BY GROUPING SETS ((word), ()) HAVING sum(number) > 0',
  'SELECT * FROM range(5) TABLESAMPLE 50%',
  'SELECT DISTINCT ON (word) * FROM datasets.own',
  'EXPLAIN SELECT * FROM datasets.own',
  'DESCRIBE SELECT * FROM datasets.own',
  'SUMMARIZE datasets.own',
  'SHOW TABLES',
] as const;

/** What an attacker would like to see pass, and what makes a parser stumble. */
const PIECES = [
  ...["read_text('/etc/passwd')", "read_csv('/etc/passwd')", "'/etc/passwd'", '"/etc/passwd"', "glob('/etc/*')"],
  ...[
    "query('FROM x')",
    "query_table('own')",
    'duckdb_settings()',
    'pragma_version()',
    "getenv('PATH')",
    'duckdb_views()',
  ],
  ...[
    "current_setting('temp_directory')",
    'enable_logging()',
    'information_schema.tables',
    'sqlite_master',
    'pg_class',
  ],
  ...[
    'COPY',
    'ATTACH',
    "TO '/tmp/millrace-fuzz'",
    'INSERT INTO',
    'SET x = 1',
    'PRAGMA',
    'CALL',
    'EXPLAIN ANALYZE',
    'INSTALL',
  ],
  ...[
    ';',
    ';;',
    '--',
    '/*',
    '*/',
    '$$',
    '$1',
    '?',
    '::',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    "'",
    '"',
    '\\',
    '.',
    ',',
    '@',
    '#1',
  ],
  ...[
    'AT (VERSION => 1)',
    'WITH own AS (SELECT 1)',
    'AS datasets',
    'datasets',
    'main',
    'results',
    'system',
    'temp',
    'own',
  ],
  ...['\u0000', '\ufeff', '\u00a0', '\u2028', '\u200b', 'é', '𝄞', '\u0301', 'ﬀ', '\r', '\n', '\t', '\ud800'],
  ...[
    'NULL',
    '1e400',
    '0x',
    '9'.repeat(60),
    'UNION',
    'FROM',
    'SELECT',
    'LATERAL',
    'COLUMNS',
    'UNPIVOT',
    'PIVOT',
    'VALUES',
  ],
];

const WRAPS: readonly (readonly [before: string, after: string])[] = [
  ['(', ')'],
  ['SELECT * FROM (', ') t'],
  ['WITH w AS (', ') FROM w'],
  ['EXPLAIN ', ''],
  ['EXPLAIN ANALYZE ', ''],
  ['DESCRIBE ', ''],
  ['SUMMARIZE ', ''],
  ['PIVOT (', ') ON x'],
  ["SELECT 'x', (", ')'],
  ['FROM query($$', '$$)'],
  ['COPY (', ") TO '/tmp/millrace-fuzz'"],
  ['PREPARE p AS ', ''],
  ['CREATE TABLE t AS ', ''],
];

type Mutation = (text: string) => string;

const place = fc.double({ min: 0, max: 1, noNaN: true });
const at = (text: string, share: number): number => Math.floor(share * text.length);

const insertion = fc
  .tuple(place, fc.constantFrom(...PIECES), fc.constantFrom('', ' '))
  .map(([share, piece, space]): Mutation => (text) => {
    const index = at(text, share);
    return text.slice(0, index) + space + piece + space + text.slice(index);
  });
const replacement = fc.tuple(place, fc.constantFrom(...PIECES)).map(([share, piece]): Mutation => (text) => {
  const words = text.split(/\b/);
  words[Math.floor(share * words.length)] = piece;
  return words.join('');
});
const deletion = fc.tuple(place, fc.integer({ min: 1, max: 12 })).map(
  ([share, length]): Mutation =>
    (text) =>
      text.slice(0, at(text, share)) + text.slice(at(text, share) + length),
);
const flip = fc.tuple(place, fc.integer({ min: 0, max: 7 })).map(([share, bit]): Mutation => (text) => {
  const bytes = Buffer.from(text);
  const index = Math.floor(share * bytes.length);
  bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
  return bytes.toString('utf8');
});
const crossing = fc.tuple(place, place, fc.constantFrom(...SEEDS)).map(
  ([share, otherShare, other]): Mutation =>
    (text) =>
      text.slice(0, at(text, share)) + other.slice(at(other, otherShare)),
);
const wrapping = fc.constantFrom(...WRAPS).map(
  ([before, after]): Mutation =>
    (text) =>
      before + text + after,
);

/** Statements that began as good ones. */
export const mutatedStatement = fc
  .tuple(
    fc.constantFrom(...SEEDS),
    fc.array(fc.oneof(insertion, replacement, deletion, flip, crossing, wrapping), { maxLength: 4 }),
  )
  .map(([seed, mutations]) => mutations.reduce((text, mutate) => mutate(text), seed as string));
