import { describe, expect, it } from '@jest/globals';
import { bareStatement } from './bare-statement.js';

describe('bareStatement', () => {
  it.each([
    ['select 1', 'select 1'],
    ['select 1;', 'select 1'],
    ['select 1 ; -- done;\n;', 'select 1 '],
    ['select 1; select 2', 'select 1; select 2'],
    ["select ';', $$a;b$$, $x$;$$;$x$, e'\\';', \";\" /* ; /* ; */ ; */ ; ;", "select ';', $$a;b$$, $x$;$$;$x$, e'\\';', \";\" /* ; /* ; */ ; */ "], // prettier-ignore
    [';; /* ; */ ; select 1;', '   /* ; */   select 1'],
    ['-- nothing', '-- nothing'],
    ['', ''],
  ])('of %j', (sql, bare) => {
    expect(bareStatement(sql)).toBe(bare);
  });

  it('takes a megabyte of semicolons in its stride', () => {
    expect(bareStatement(`${';'.repeat(1_000_000)}select 1${';'.repeat(1_000)}`).trimStart()).toBe('select 1');
  });
});
