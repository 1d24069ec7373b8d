import { describe, expect, it } from '@jest/globals';
import type { ConvertRequest } from '../../tasks/convert.task.js';
import { detectFormat } from './detect-format.js';

const formatOf = (request: Partial<ConvertRequest>, head: string): string =>
  detectFormat({ file: '', ...request }, Buffer.from(head));

describe('detectFormat', () => {
  it.each<[Partial<ConvertRequest>, string]>([
    [{ format: 'parquet', contentType: 'text/csv' }, 'parquet'],
    [{ contentType: 'Text/CSV; charset=utf-8', fileName: 'a.json' }, 'csv'],
    [{ contentType: 'application/octet-stream', fileName: 'A.NDJSON.gz' }, 'json'],
    [{ fileName: 'a.pq' }, 'parquet'],
    [{}, 'csv'],
  ])('%j is %s', (request, format) => {
    expect(formatOf(request, 'a,b\n1,2\n')).toBe(format);
  });

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])('knows no format by the name of %s', (name) => {
    expect(formatOf({ contentType: name }, 'a,b\n1,2\n')).toBe('csv');
    expect(formatOf({ fileName: `x.${name}` }, 'a,b\n1,2\n')).toBe('csv');
    expect(formatOf({ contentType: name, fileName: `x.${name}` }, '{"a":1}')).toBe('json');
  });
});
