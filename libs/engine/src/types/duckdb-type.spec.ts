import { describe, expect, it } from '@jest/globals';
import { parseDuckdbType } from './duckdb-type.js';

describe('parseDuckdbType', () => {
  it('reads nested types with quoted names', () => {
    const type = parseDuckdbType('STRUCT("a b" INTEGER[], "Q""x" MAP(VARCHAR, DECIMAL(38,10)))[3]');
    expect(type).toMatchObject({
      kind: 'array',
      length: 3,
      element: {
        kind: 'struct',
        fields: [
          { name: 'a b', type: { kind: 'list', text: 'INTEGER[]' } },
          { name: 'Q"x', type: { kind: 'map', value: { kind: 'decimal', precision: 38, scale: 10 } } },
        ],
      },
    });
  });

  it('tells unnamed fields from named ones', () => {
    expect(parseDuckdbType('STRUCT(INTEGER, TIMESTAMP WITH TIME ZONE)')).toMatchObject({
      fields: [
        { name: undefined, type: { text: 'INTEGER' } },
        { name: undefined, type: { text: 'TIMESTAMP WITH TIME ZONE' } },
      ],
    });
  });

  it('reads ENUM values with quotes, commas and parentheses', () => {
    expect(parseDuckdbType("ENUM('x)y', 'a,b', 'it''s')")).toMatchObject({ values: ['x)y', 'a,b', "it's"] });
  });

  it.each(['', 'STRUCT(a INTEGER', 'INTEGER; DROP TABLE x', 'INTEGER[]]', '('])('refuses %j', (text) => {
    expect(() => parseDuckdbType(text)).toThrow(RangeError);
  });

  it('refuses types that are nested without end', () => {
    expect(() => parseDuckdbType('STRUCT(a '.repeat(5_000))).toThrow(/nested deeper/);
  });
});
