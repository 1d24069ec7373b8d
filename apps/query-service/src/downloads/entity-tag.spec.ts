import { describe, expect, it } from '@jest/globals';
import type { Column } from '@millrace/domain';
import { allowsRange, entityTagOf, isNamed } from './entity-tag.js';

const columns: Column[] = [{ name: 'a', type: 'HUGEINT', nullable: true }];
const files = [{ storageKey: 'k', sizeBytes: 1, contentHash: 'ab' }];

describe('an entity tag', () => {
  it('is the hash of the file for Parquet', () => {
    expect(entityTagOf({ files, columns }, 'parquet')).toBe('"ab"');
  });

  it('is another for each format, content and set of columns', () => {
    const other = [{ storageKey: 'k', sizeBytes: 1, contentHash: 'cd' }];
    const tags = [
      entityTagOf({ files, columns }, 'csv'),
      entityTagOf({ files, columns }, 'json'),
      entityTagOf({ files: other, columns }, 'csv'),
      entityTagOf({ files, columns: [{ name: 'a', type: 'VARCHAR', nullable: true }] }, 'csv'),
    ];
    expect(new Set(tags).size).toBe(4);
    for (const tag of tags) expect(tag).toMatch(/^"[\da-f]{64}"$/);
    expect(entityTagOf({ files, columns }, 'csv')).toBe(tags[0]);
  });

  it.each<[string | undefined, boolean]>([
    ['"a"', true],
    ['"b", "a"', true],
    ['W/"a"', true],
    ['*', true],
    ['"b"', false],
    ['a', false],
    ['', false],
    [undefined, false],
  ])('"a" is named by If-None-Match: %s', (header, expected) => {
    expect(isNamed('"a"', header)).toBe(expected);
  });

  it.each<[string | undefined, boolean]>([
    [undefined, true],
    ['"a"', true],
    ['"b"', false],
    ['W/"a"', false],
    ['Thu, 26 Nov 2026 08:00:00 GMT', false],
  ])('"a" lets a range be sent with If-Range: %s', (header, expected) => {
    expect(allowsRange('"a"', header)).toBe(expected);
  });
});
