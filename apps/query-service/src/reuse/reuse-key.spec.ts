import { describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import type { InputTable } from '../inputs/table-resolver.js';
import { reuseKey, type Question } from './reuse-key.js';

const [versionId, datasetId, resultId] = [newId('version'), newId('dataset'), newId('result')];

function table(name: string, source: InputTable['source']): InputTable {
  const schema = source.type === 'result' ? 'results' : 'datasets';
  const place = { byteOffset: 0, place: { line: 1, column: 1 }, nameParts: 2, alias: undefined, version: undefined };
  return { reference: { schema, name, ...place }, source, columns: [], rowCount: 0, files: [] };
}

const sales = table('sales', { type: 'dataset', datasetId, versionId });
const kept = table(resultId, { type: 'result', resultId });
const QUESTION: Question = { fingerprint: 'a', params: undefined, tables: [sales, kept] };
const key = (change: Partial<Question>): string => reuseKey({ ...QUESTION, ...change });

describe('reuseKey', () => {
  it('is that of the same question', () => {
    expect(key({})).toMatch(/^[0-9a-f]{64}$/);
    expect(key({ tables: [kept, sales] })).toBe(key({}));
    expect(key({ tables: [table('SALES', sales.source), kept] })).toBe(key({}));
    expect(key({ params: { a: 1, b: 2 } })).toBe(key({ params: { b: 2, a: 1 } }));
    expect(key({ params: [1] })).toBe(key({ params: [1.0] }));
    expect(key({ params: [] })).toBe(key({}));
  });

  it.each<[string, Partial<Question>]>([
    ['another statement', { fingerprint: 'b' }],
    ['another version', { tables: [table('sales', { ...sales.source, versionId: newId('version') } as never), kept] }],
    ['fewer tables', { tables: [sales] }],
    ['tables that swapped their names', { tables: [table(resultId, sales.source), table('sales', kept.source)] }],
    ['a parameter', { params: [1] }],
    ['a type of a parameter', { paramTypes: { a: 'DATE' } }],
  ])('is another one for %s', (_, change) => {
    expect(key(change)).not.toBe(key({}));
  });

  it('tells parameters apart by value, type and name', () => {
    const all: Question['params'][] = [
      ...[[1], ['1'], [true], ['true'], [null], ['null'], [0], [-0], [1.5], [''], [1, 2], [2, 1], ['1,2']],
      ...[{ a: 1 }, { b: 1 }, { a: '1' }, { a: 1, b: 2 }, { a: 2, b: 1 }],
    ];
    expect(new Set(all.map((params) => key({ params }))).size).toBe(all.length);
  });
});
