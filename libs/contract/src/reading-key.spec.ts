import { describe, expect, it } from '@jest/globals';
import { readingKey } from './reading-key.js';
import type { SourceConfig } from './schemas/datasets.js';

const CONFIG: SourceConfig = {
  upload_id: 'upld01m7we8r5h49db262mqpcerf8j',
  format: 'csv',
  options: { delimiter: ';', null_strings: ['a', 'b'] },
  columns: { a: { type: 'DECIMAL', precision: 12, scale: 2 }, b: { type: 'DATE' } },
};

describe('readingKey', () => {
  it('does not depend on the upload, or on the order of what was said', () => {
    const other: SourceConfig = {
      columns: { b: { type: 'DATE' }, a: { scale: 2, precision: 12, type: 'DECIMAL' } },
      options: { null_strings: ['a', 'b'], delimiter: ';' },
      format: 'csv',
    };
    expect(readingKey(other)).toBe(readingKey(CONFIG));
  });

  it.each<[string, SourceConfig]>([
    ['no format', { ...CONFIG, format: undefined }],
    ['another format', { ...CONFIG, format: 'json' }],
    ['another option', { ...CONFIG, options: { ...CONFIG.options, delimiter: ',' } }],
    ['an option more', { ...CONFIG, options: { ...CONFIG.options, skip: 0 } }],
    ['another order in a list', { ...CONFIG, options: { ...CONFIG.options, null_strings: ['b', 'a'] } }],
    ['no pins', { ...CONFIG, columns: undefined }],
    ['another pin', { ...CONFIG, columns: { ...CONFIG.columns, b: { type: 'VARCHAR' } } }],
    ['a pin of another column', { ...CONFIG, columns: { a: { type: 'DATE' } } }],
  ])('is another one with %s', (_, config) => {
    expect(readingKey(config)).not.toBe(readingKey(CONFIG));
  });

  it('is none where rows may be left out', () => {
    const options = { ...CONFIG.options, on_error: 'skip' } as unknown as SourceConfig['options'];
    expect(readingKey({ ...CONFIG, options })).toBeUndefined();
    expect(readingKey({ ...CONFIG, options: { on_error: 'abort' } })).toBeDefined();
  });
});
