/** A statement that is harmless, its parameters, and nothing else: what it answers is for DuckDB to say. */
export type DialectCase = readonly [sql: string, params?: readonly (string | number | boolean | null)[]];

/** The tables that the statements read. */
export const DIALECT_TABLES: Readonly<Record<string, string>> = {
  sales: `SELECT * FROM (VALUES
    (1, 'North', 'a', 100, TIMESTAMP '2025-01-01 10:00'), (2, 'North', 'b', 150, TIMESTAMP '2025-01-02 10:00'),
    (3, 'South', 'a', 70, TIMESTAMP '2025-01-01 11:00'), (4, 'East', 'b', NULL, TIMESTAMP '2025-01-03 09:00'))
    t(id, region, kind, amount, ts)`,
  regions: `SELECT * FROM (VALUES ('North', 'Ada'), ('South', 'Bo'), ('West', 'Cy')) t(region, manager)`,
  prices: `SELECT * FROM (VALUES (TIMESTAMP '2025-01-01 00:00', 1), (TIMESTAMP '2025-01-02 00:00', 2)) t(ts, price)`,
  wide: `SELECT * FROM (VALUES (1, 10, NULL::INTEGER, 'x'), (2, 20, 21, 'y')) t(id, q1, q2, name)`,
  nested: `SELECT {'a': 1, 'b': {'c': 'x'}} AS s, [1, 2, 3] AS l, MAP {'k': 1} AS m, 'Ünï' AS "naïve name"`,
};

export const DIALECT: readonly DialectCase[] = [
  [
    "PIVOT datasets.sales ON region IN ('North', 'South') USING sum(amount)::INT AS total, count(*) AS n GROUP BY kind ORDER BY kind",
  ],
  [
    "FROM datasets.sales PIVOT (sum(amount)::INT FOR region IN ('North' AS n, 'South' AS s) GROUP BY kind) ORDER BY kind",
  ],
  [
    "SELECT * FROM (PIVOT (SELECT region, kind, amount FROM datasets.sales) ON kind IN ('a', 'b') USING max(amount)) ORDER BY region",
  ],
  ["PIVOT datasets.sales ON region IN ('North'), kind IN ('a', 'b') USING count(*) GROUP BY id ORDER BY id"],
  ["WITH p AS (PIVOT datasets.sales ON kind IN ('a') USING count(*) GROUP BY region) FROM p ORDER BY ALL"],
  ['UNPIVOT datasets.wide ON q1, q2 INTO NAME quarter VALUE amount ORDER BY ALL'],
  ['UNPIVOT datasets.wide ON COLUMNS(* EXCLUDE (id, name)) ORDER BY ALL'],
  ['FROM datasets.wide UNPIVOT (amount FOR quarter IN (q1, q2)) ORDER BY ALL'],
  ['FROM datasets.wide UNPIVOT INCLUDE NULLS (amount FOR quarter IN (q1 AS "Q 1", q2)) ORDER BY ALL'],
  ['UNPIVOT datasets.wide ON (q1, q2) AS both INTO NAME quarter VALUE a, b ORDER BY ALL'],
  ["VALUES (1, 'a'), (2, NULL)"],
  ['FROM (VALUES (1), (2)) t(x) SELECT x * 2 ORDER BY 1 DESC'],
  ['FROM datasets.regions ORDER BY region LIMIT 1'],
  [
    'SELECT region, amount FROM datasets.sales QUALIFY row_number() OVER (PARTITION BY region ORDER BY amount DESC) = 1 ORDER BY ALL',
  ],
  ['SELECT s.id, x FROM datasets.sales s, LATERAL (SELECT s.amount + 1 AS x) ORDER BY ALL'],
  [
    'SELECT s.id, x FROM datasets.sales s LEFT JOIN LATERAL (SELECT s.amount AS x WHERE s.amount > 90) ON true ORDER BY ALL',
  ],
  [
    'SELECT id, (SELECT max(amount) FROM datasets.sales b WHERE b.region = a.region) FROM datasets.sales a ORDER BY ALL',
  ],
  ['WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n)::INT FROM t'],
  ['WITH RECURSIVE t(k, n) USING KEY (k) AS (SELECT 1, 0 UNION SELECT k, n + 1 FROM t WHERE n < 5) FROM t'],
  [
    'WITH RECURSIVE t(k, n) USING KEY (k) AS (SELECT 1, 0 UNION SELECT k, n + 1 FROM (SELECT * FROM t) WHERE n < 5) FROM t',
  ],
  ['WITH a AS MATERIALIZED (FROM datasets.regions), b AS NOT MATERIALIZED (FROM a) SELECT count(*)::INT FROM a, b'],
  ['SELECT * FROM datasets.regions POSITIONAL JOIN datasets.prices ORDER BY 1'],
  ['SELECT s.id, p.price FROM datasets.sales s ASOF JOIN datasets.prices p USING (ts) ORDER BY ALL'],
  ['SELECT s.id, p.price FROM datasets.sales s ASOF LEFT JOIN datasets.prices p ON s.ts < p.ts ORDER BY ALL'],
  ['FROM datasets.regions SEMI JOIN datasets.sales USING (region) ORDER BY ALL'],
  ['FROM datasets.regions ANTI JOIN datasets.sales USING (region)'],
  ['SELECT manager, id FROM datasets.regions NATURAL JOIN datasets.sales ORDER BY ALL'],
  [
    'SELECT * FROM datasets.regions r FULL JOIN (SELECT DISTINCT region FROM datasets.sales) s USING (region) ORDER BY ALL',
  ],
  ['SELECT r.region FROM datasets.regions r CROSS JOIN datasets.prices ORDER BY ALL'],
  ['SELECT min(COLUMNS(*)) FROM datasets.wide'],
  ["SELECT COLUMNS(c -> c LIKE 'q%') FROM datasets.wide ORDER BY ALL"],
  ["SELECT COLUMNS(lambda c: c LIKE 'q%') FROM datasets.wide ORDER BY ALL"],
  ["SELECT COLUMNS('q[12]') AS 'v_\\0' FROM datasets.wide ORDER BY ALL"],
  ["SELECT coalesce(*COLUMNS('q.')) FROM datasets.wide ORDER BY ALL"],
  ["SELECT * LIKE 'q%' FROM datasets.wide ORDER BY ALL"],
  ['SELECT * EXCLUDE (name, q2) FROM datasets.wide ORDER BY ALL'],
  ['SELECT * REPLACE (id + 1 AS id, upper(name) AS name) FROM datasets.wide ORDER BY ALL'],
  ['SELECT * RENAME (id AS key) FROM datasets.wide ORDER BY ALL'],
  ['SELECT w.* EXCLUDE (w.id) FROM datasets.wide w ORDER BY ALL'],
  [
    'SELECT list_transform([1, 2], lambda x: x + 1), list_filter([1, 2], lambda x: x > 1), list_reduce([1, 2, 3], lambda a, b: a + b)',
  ],
  ['SELECT list_transform([1, 2], x -> x + 1)'],
  ['SELECT list_transform([5, 6], lambda x, i: x * i)'],
  ['SELECT [x * 2 FOR x IN [1, 2, 3] IF x > 1], [[y FOR y IN range(x)] FOR x IN [1, 2]]'],
  [
    "SELECT s.a, s.b.c, s['a'], l[1], l[-1], l[1:2], l[:2], l[2:], l[1:3:2], m['k'], \"naïve name\"[1:2] FROM datasets.nested",
  ],
  ["SELECT (s).b.c, struct_extract(s, 'a'), nested.s.a, unnest(s) FROM datasets.nested"],
  ["SELECT unnest(l), unnest([{'a': 1}], recursive := true) FROM datasets.nested ORDER BY 1"],
  ["SELECT 'abc'[2], ('abc').upper().lower().concat('x'), ('a' || 'b').length()"],
  ['-- one\n/* two /* nested */ ; */ ;; SELECT /* in */ 1 -- three ;\n + 1 ; -- four\n;'],
  ['SELECT 1;;'],
  ['SELECT id FROM datasets.sales ORDER BY id LIMIT $1 OFFSET $2', [2, 1]],
  ['VALUES ($1, $3), ($2, 4)', [1, 3, 2]],
  ['FROM range($1, $2) t(i) SELECT i::INT', [2, 5]],
  ["SELECT [$1, $2], {'a': $1}, MAP {$2: 1}, $1 IN ($2, 1), CASE WHEN $3 THEN 1 END", [1, 2, true]],
  ["SELECT DATE '2025-01-01' + INTERVAL ($1) DAY, DATE '2025-01-31' - to_months($1)", [2]],
  [
    'SELECT list_filter([1, 2, 3], lambda x: x > $1), sum(amount) FILTER (WHERE kind = $2)::INT FROM datasets.sales',
    [1, 'a'],
  ],
  [
    'SELECT region, count(*)::INT FROM datasets.sales GROUP BY region HAVING count(*) > $1 ORDER BY region LIMIT ($2 + 0)',
    [1, 5],
  ],
  [
    'SELECT sum(amount) OVER (ORDER BY id ROWS BETWEEN $1 PRECEDING AND CURRENT ROW)::INT FROM datasets.sales ORDER BY id',
    [1],
  ],
  [
    'FROM (SELECT * FROM datasets.sales WHERE id = ?) JOIN datasets.regions USING (region) SELECT manager, ?::INT',
    [1, 7],
  ],
  ['SELECT region, kind, count(*)::INT FROM datasets.sales GROUP BY ALL ORDER BY ALL'],
  [
    'SELECT region, kind, count(*)::INT, grouping(region)::INT FROM datasets.sales GROUP BY GROUPING SETS ((region), (kind), ()) ORDER BY ALL',
  ],
  ['SELECT region, kind, count(*)::INT FROM datasets.sales GROUP BY CUBE (region, kind) ORDER BY ALL NULLS FIRST'],
  [
    'SELECT region, kind, count(*)::INT FROM datasets.sales GROUP BY ROLLUP (region, kind) ORDER BY ALL DESC NULLS LAST',
  ],
  [
    'SELECT id, sum(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW)::INT FROM datasets.sales ORDER BY id',
  ],
  [
    'SELECT id, sum(id) OVER w::INT, last_value(amount IGNORE NULLS) OVER w FROM datasets.sales WINDOW w AS (ORDER BY id GROUPS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE TIES) ORDER BY id',
  ],
  [
    'SELECT id, count(*) OVER (ORDER BY ts RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND CURRENT ROW)::INT FROM datasets.sales ORDER BY id',
  ],
  ['SELECT count(*)::INT FROM datasets.sales TABLESAMPLE 100%'],
  ['SELECT count(*)::INT FROM datasets.sales USING SAMPLE reservoir(2 ROWS) REPEATABLE (1)'],
  ['SELECT count(*)::INT FROM datasets.sales TABLESAMPLE bernoulli(100%)'],
  ['SELECT DISTINCT ON (region) region, amount FROM datasets.sales ORDER BY region, amount DESC'],
  ['SELECT id FROM datasets.sales ORDER BY id LIMIT 50%'],
  ['SELECT 1 AS a, 2 AS b UNION ALL BY NAME SELECT 3 AS b, 4 AS c ORDER BY ALL'],
  ['(SELECT 1 UNION ALL SELECT 1) INTERSECT ALL (SELECT 1 UNION ALL SELECT 2) EXCEPT SELECT 3'],
  ["SELECT a: 42, b: 'x', region FROM r: datasets.regions ORDER BY region"],
  ['SELECT #1, #2 FROM datasets.regions ORDER BY #1'],
  ["SELECT TRY('x'::INT), try_cast('x' AS INT), '5'::INT"],
  ["SELECT 'a' COLLATE NOCASE = 'A', 'é' COLLATE NOACCENT = 'e', 'a' COLLATE NOCASE.NOACCENT = 'Á'"],
  ['SELECT region FROM datasets.sales ORDER BY region COLLATE NOCASE DESC, id'],
  ['SELECT amount FROM datasets.sales ORDER BY amount ASC NULLS FIRST'],
  ['SELECT id, region, FROM datasets.sales ORDER BY id'],
  ['SELECT [1, 2,], 1_000_000, 0x1F, 1e3::INT, .5::FLOAT'],
  ["SELECT $$it's; --$$, $tag$ $$ $tag$, E'a\\tb\\'c', 'it''s'"],
  ['SELECT "naïve name" AS "Ünïcode ""名""", \'😀\' FROM datasets.nested'],
  ["SELECT 'abc' GLOB 'a*', 'abc' SIMILAR TO 'a.*', 'abc' ~ 'b', 'abc' NOT LIKE 'b%', 'a%' LIKE 'a#%' ESCAPE '#'"],
  [
    "SELECT extract(year FROM ts)::INT, date_part('day', ts)::INT, ts AT TIME ZONE 'UTC' FROM datasets.prices ORDER BY ALL",
  ],
  [
    "SELECT region, list(id ORDER BY id DESC), string_agg(kind, ',' ORDER BY kind), first(id ORDER BY id) FROM datasets.sales GROUP BY region ORDER BY region",
  ],
  [
    'SELECT 1 = ANY (SELECT id FROM datasets.sales), 5 > ALL (SELECT id FROM datasets.sales), 2 IN (FROM (VALUES (2))), EXISTS (FROM datasets.wide)',
  ],
  ['SELECT (SELECT s FROM datasets.sales s ORDER BY id LIMIT 1)'],
  ['SELECT sales FROM datasets.sales ORDER BY id LIMIT 1'],
  [
    "SELECT CAST({'a': '1'} AS STRUCT(a INT)), [1, 2]::INT[2], '[1]'::INT[], MAP {'a': 1}::MAP(VARCHAR, BIGINT), 1::UNION(n INT)",
  ],
  [`SELECT 'b'::ENUM('a', 'b'), '{"a": 1}'::JSON->>'$.a'`],
  [
    "SELECT ['a']::ENUM('a', 'b')[], [['b']]::ENUM('a', 'b')[1][], {'x': 'a'}::STRUCT(x ENUM('a'), \"select\" ENUM('b')[]), TRY_CAST('c' AS UNION(e ENUM('a'), s VARCHAR))",
  ],
  ["SELECT MAP {'a': ['b']}::MAP(ENUM('a'), ENUM('b')[])"],
  ['SELECT value, key FROM json_each(\'{"a": 1, "b": 2}\') ORDER BY key'],
  ['SELECT i, j FROM range(2) a(i), generate_series(1, 2) b(j) ORDER BY ALL'],
  ['SELECT * FROM unnest([1, 2]) WITH ORDINALITY u(x, n)'],
  ['TABLE datasets.regions ORDER BY region'],
  ['SELECT x FROM (SELECT 1 AS x) WHERE x = 1 OR x IS NULL OR x BETWEEN 3 AND 0'],
  ['SELECT 7 // 2, 7 % 2, 2 ** 3, 2 ^ 3, 5 & 3, 5 | 3, ~5, 1 << 2, 4 >> 1, -5, @(-5), 5!'],
];
