import { describe, expect, it } from '@jest/globals';
import { openApiDocument } from '../openapi.js';
import { runQuerySchema } from './queries.js';

describe('the parameters of a statement', () => {
  const complaints = (params: unknown): string[] =>
    (runQuerySchema.safeParse({ sql: 'SELECT 1', params }).error?.issues ?? []).map(
      ({ path, message }) => `/${path.join('/')}: ${message}`,
    );

  it.each([
    [[]],
    [{}],
    [['a', 1, -1.5, true, null, 1e-7]],
    [[Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]],
    [[1e21, -1e300]],
    [{ a: 1, constructor: 'b' }],
  ])('may be %j', (params) => {
    expect(runQuerySchema.parse({ sql: 'SELECT 1', params }).params).toEqual(params);
  });

  it.each<[string, string]>([
    ['[9007199254740993]', '/params/0: .*send it as a string'],
    ['[1, -9007199254740993]', '/params/1: .*send it as a string'],
    ['[1, 2, 100000000000000000000]', '/params/2: .*send it as a string'],
    ['{"big": 12345678901234567890}', '/params/big: .*send it as a string'],
  ])('are never rounded: %s', (json, complaint) => {
    expect(complaints(JSON.parse(json))).toEqual([expect.stringMatching(new RegExp(`^${complaint}`))]);
  });

  it.each<[string, unknown]>([
    ['/params: Must be an array', 'a'],
    ['/params: Must be an array', null],
    ['/params/1: Must be a string, a number', [1, [2]]],
    ['/params/0: Must be a string, a number', [{ value: 1 }]],
    ['/params/a: Must be a string, a number', { a: [1] }],
    ['/params: At most 1000', Array.from({ length: 1_001 }, () => 1)],
  ])('are told what they may be, and which is not: %s', (complaint, params) => {
    expect(complaints(params)).toEqual([expect.stringMatching(new RegExp(`^${complaint}`))]);
  });

  it('are described as a list or by name', () => {
    const { schemas } = openApiDocument('1').components as { schemas: Record<string, { properties: object }> };
    expect(schemas.RunQuery?.properties).toMatchObject({
      params: { anyOf: [{ type: 'array', maxItems: 1_000 }, { type: 'object' }] },
    });
  });
});
