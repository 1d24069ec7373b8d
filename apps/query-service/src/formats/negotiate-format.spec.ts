import { describe, expect, it } from '@jest/globals';
import type { TableFormat } from '@millrace/contract';
import { negotiateFormat } from './negotiate-format.js';

const ALL: readonly TableFormat[] = ['parquet', 'arrow', 'csv', 'json', 'ndjson'];

describe('the format of a table', () => {
  it.each<[string | undefined, TableFormat]>([
    [undefined, 'parquet'],
    ['', 'parquet'],
    ['*/*', 'parquet'],
    ['text/csv', 'csv'],
    ['TEXT/CSV', 'csv'],
    ['text/csv; header=present', 'csv'],
    ['text/csv;charset=utf-8', 'csv'],
    ['application/json; charset=utf-8', 'json'],
    ['text/*', 'csv'],
    ['application/*', 'parquet'],
    ['application/json', 'json'],
    ['application/x-ndjson, application/json;q=0.9', 'ndjson'],
    ['application/json;q=0.1, application/x-ndjson;q=0.9', 'ndjson'],
    ['application/vnd.apache.arrow.stream', 'arrow'],
    ['application/vnd.apache.parquet', 'parquet'],
    ['*/*;q=0.1, text/csv', 'csv'],
    ['application/vnd.apache.parquet;q=0, */*', 'arrow'],
    ['text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8', 'parquet'],
    ['image/png, text/csv;q=0.001', 'csv'],
    ['text/csv, application/problem+json', 'csv'],
  ])('is chosen by Accept: %s', (accept, format) => {
    expect(negotiateFormat({ accept }, ALL)).toBe(format);
  });

  it.each(['text/html', 'image/*', 'text/csv;q=0', '*/*;q=0', 'csv', ';;'])('is none for Accept: %s', (accept) => {
    expect(() => negotiateFormat({ accept }, ALL)).toThrow(
      expect.objectContaining({ code: 'format.not_acceptable', message: expect.stringContaining('text/csv') }),
    );
  });

  it('is what was asked for by name, whatever Accept says', () => {
    expect(negotiateFormat<TableFormat>({ format: 'ndjson', accept: 'text/csv' }, ALL)).toBe('ndjson');
    expect(negotiateFormat<TableFormat>({ format: 'ndjson', accept: 'text/html' }, ALL)).toBe('ndjson');
  });

  it('is chosen among those that there are', () => {
    expect(negotiateFormat({ accept: '*/*' }, ['arrow', 'csv'])).toBe('arrow');
    expect(() => negotiateFormat({ accept: 'application/json' }, ['arrow', 'csv'])).toThrow(/text\/csv/);
  });
});
