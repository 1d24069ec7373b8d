import { describe, expect, it } from '@jest/globals';
import { leadingKeyword, splitStatements, withoutTerminator } from './statement-text.js';

describe('statement text', () => {
  it.each([
    ['select 1', ['select 1']],
    ['select 1;', ['select 1']],
    ["select ';'; select 2 -- ;", ["select ';'", ' select 2 -- ;']],
    ['select $$a;b$$; /* ; /* ; */ ; */ ;', ['select $$a;b$$']],
    ['select $x$;$$;$x$', ['select $x$;$$;$x$']],
    ['select ";" ; ;; ', ['select ";" ']],
    ["select e'\\';' ; select 2", ["select e'\\';' ", ' select 2']],
    ['-- nothing', []],
    ['', []],
  ])('splits %j', (sql, statements) => {
    expect(splitStatements(sql)).toEqual(statements);
  });

  it('drops a terminator and what is blank behind it', () => {
    expect(withoutTerminator('select 1 ; -- done;\n;')).toBe('select 1 ');
    expect(withoutTerminator('select 1; select 2')).toBe('select 1; select 2');
  });

  it('finds the first word behind comments and parentheses', () => {
    expect(leadingKeyword('/* a */ -- b\n ((insert into x')).toBe('INSERT');
  });
});
