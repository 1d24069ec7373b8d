import { describe, expect, it } from '@jest/globals';
import type { Conversion } from '@millrace/catalog';
import { DEFAULT_TENANT_LIMITS, newId } from '@millrace/domain';
import { convertTask } from './convert-task.js';

const conversion: Conversion = {
  tenantId: newId('tenant'),
  datasetId: newId('dataset'),
  versionId: newId('version'),
  source: {
    storageKey: 'key',
    contentHash: '0'.repeat(64),
    sizeBytes: 1,
    contentType: 'text/csv',
    contentEncoding: null,
    fileName: 'a.csv',
  },
  sourceConfig: { format: 'csv' },
  limits: { ...DEFAULT_TENANT_LIMITS, columnsMax: 1, lineBytesMax: 2, nestingMax: 3 },
};

describe('convertTask', () => {
  it('says the file, how to read it, and every limit of the tenant that is one of a conversion', () => {
    const limits = { ...conversion.limits, decompressedBytesMax: 4, compressionRatioMax: 5 };
    expect(convertTask({ ...conversion, limits }, '/local/file')).toEqual({
      kind: 'convert',
      file: '/local/file',
      format: 'csv',
      contentType: 'text/csv',
      fileName: 'a.csv',
      limits: { columnsMax: 1, lineBytesMax: 2, nestingMax: 3, decompressedBytesMax: 4, compressionRatioMax: 5 },
    });
  });
});
