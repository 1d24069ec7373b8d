import { describe, expect, it } from '@jest/globals';
import { namedParameters } from './named-parameters.js';

describe('the named parameters of a statement', () => {
  it.each<[string, string[]]>([
    ['SELECT 1', []],
    ['SELECT $a, $b, $a', ['a', 'b']],
    ['SELECT $Day, $day', ['Day']],
    ['SELECT \'$no\', "$no", $$ $no $$, $tag$ $no $tag$, $yes', ['yes']],
    ['SELECT $a -- $no\n /* $no */ + $b', ['a', 'b']],
    ['SELECT x$y FROM t', []],
    ['SELECT $größe', ['größe']],
  ])('of %s are %j', (sql, names) => {
    expect(namedParameters(sql)).toEqual(names);
  });

  it.each(['SELECT $1', 'SELECT ?', 'SELECT $a + $2'])('are all there may be: %s', (sql) => {
    expect(() => namedParameters(sql)).toThrow(expect.objectContaining({ code: 'sql.not_allowed' }));
  });
});
