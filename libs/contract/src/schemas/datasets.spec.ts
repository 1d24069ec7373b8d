import { describe, expect, it } from '@jest/globals';
import { openApiDocument } from '../openapi.js';
import { createDatasetSchema } from './datasets.js';

const upload_id = 'upld01jd3x9k2v7q8m4n5p6r7s8t9w';
const result_id = 'rslt01jd3x9k2v7q8m4n5p6r7s8t9w';
const inline = { format: 'csv', content: 'a\n1' };

describe('the source of a new dataset', () => {
  const complaints = (source: unknown): string[] =>
    (createDatasetSchema.safeParse({ label: 'A', source }).error?.issues ?? []).map(
      ({ path, message }) => `/${path.join('/')}: ${message}`,
    );

  it.each<[string, unknown]>([
    ['/source/inline/options/header: ', { inline: { ...inline, options: { header: 'yes' } } }],
    ['/source/inline/options/quote: ', { inline: { ...inline, options: { quote: 5 } } }],
    ['/source/inline/options/escape: Must be one character', { inline: { ...inline, options: { escape: 'ab' } } }],
    ['/source/inline/content: ', { inline: { format: 'csv' } }],
    ['/source/inline/format: ', { inline: { ...inline, format: 'parquet' } }],
    ['/source/inline/columns/a/type: ', { inline: { ...inline, columns: { a: { type: 1 } } } }],
    ['/source/inline: ', { inline: 'a,b' }],
    ['/source: Unrecognized key: "format"', { inline, format: 'csv' }],
    ['/source/upload_id: Must be an id', { upload_id: 'upld' }],
    ['/source/upload_id: ', { upload_id: null }],
    ['/source/format: ', { upload_id, format: 'xlsx' }],
    ['/source: Unrecognized key: "content"', { upload_id, content: '' }],
    ['/source/result_id: Must be an id', { result_id: upload_id }],
    ['/source: Unrecognized key: "columns"', { result_id, columns: {} }],
    ['/source: Must be one of', { upload_id, result_id }],
    ['/source: Must be one of', {}],
    ['/source: Must be one of', { upload_id, inline }],
    ['/source: Must be one of', 'file.csv'],
    ['/source: Must be one of', undefined],
  ])('is told what is wrong where it is wrong: %s', (complaint, source) => {
    expect(complaints(source)).toEqual([expect.stringMatching(new RegExp(`^${complaint}`))]);
  });

  it('is an upload, inline content or a result', () => {
    expect([{ upload_id }, { inline }, { result_id }].flatMap(complaints)).toEqual([]);
  });

  it('is described as what it may be', () => {
    expect(openApiDocument('1').components).toMatchObject({
      schemas: {
        CreateDataset: {
          required: ['label', 'source'],
          properties: {
            source: {
              anyOf: ['UploadSource', 'InlineSource', 'ResultSource'].map((name) => ({
                $ref: `#/components/schemas/${name}`,
              })),
            },
          },
        },
      },
    });
  });
});
