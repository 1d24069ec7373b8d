import { describe, expect, it } from '@jest/globals';
import type { AnswerFormat } from '@millrace/contract';
import { isRowFormat, negotiateAnswer } from './negotiate-answer.js';

describe('the format of an answer', () => {
  it.each<[string | undefined, AnswerFormat]>([
    [undefined, 'json'],
    ['*/*', 'json'],
    ['application/*', 'json'],
    ['application/json', 'json'],
    ['text/csv', 'csv'],
    ['text/csv, application/json', 'csv'],
    ['text/csv;q=0.5, application/json', 'json'],
    ['application/vnd.apache.arrow.stream', 'arrow'],
    ['application/vnd.apache.parquet, */*;q=0.1', 'parquet'],
    ['application/x-ndjson', 'ndjson'],
  ])('is chosen by Accept: %s', (accept, format) => {
    expect(negotiateAnswer({ accept })).toBe(format);
  });

  it('is none when nothing fits', () => {
    expect(() => negotiateAnswer({ accept: 'text/html' })).toThrow(
      expect.objectContaining({ code: 'format.not_acceptable' }),
    );
  });

  it('is within JSON, or a table alone', () => {
    const formats: AnswerFormat[] = ['json', 'objects', 'ndjson', 'csv', 'arrow', 'parquet'];
    expect(formats.filter(isRowFormat)).toEqual(['json', 'objects']);
  });
});
