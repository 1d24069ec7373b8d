import { describe, expect, it } from '@jest/globals';
import { openApiDocument } from '../openapi.js';
import { createDatasetSchema } from './datasets.js';

const upload_id = 'upld01jd3x9k2v7q8m4n5p6r7s8t9w';
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
    ['/source: Must be either', {}],
    ['/source: Must be either', { upload_id, inline }],
    ['/source: Must be either', 'file.csv'],
    ['/source: Must be either', undefined],
  ])('is told what is wrong where it is wrong: %s', (complaint, source) => {
    expect(complaints(source)).toEqual([expect.stringMatching(new RegExp(`^${complaint}`))]);
  });

  it('is an upload or inline content', () => {
    expect([complaints({ upload_id }), complaints({ inline })]).toEqual([[], []]);
  });

  it('is described as what it may be', () => {
    expect(openApiDocument('1').components).toMatchObject({
      schemas: {
        CreateDataset: {
          required: ['label', 'source'],
          properties: {
            source: {
              anyOf: [{ $ref: '#/components/schemas/UploadSource' }, { $ref: '#/components/schemas/InlineSource' }],
            },
          },
        },
      },
    });
  });
});
