import { ENGINE_ERRORS, type Operation, type OperationResponse } from '../operation.js';
import { downloadHeadersSchema, downloadQuerySchema, TABLE_FORMATS } from '../schemas/formats.js';

const MEDIA_TYPES = Object.values(TABLE_FORMATS).map(({ mediaType }) => mediaType);

const validators = { ETag: 'Of these bytes, strong.', Vary: '`Accept`.' };
const headers = {
  ...validators,
  'Content-Disposition': 'A file name: that of the table.',
  'Accept-Ranges': '`bytes` for Parquet, `none` for what is made while it is sent.',
};

const responses = {
  200: {
    description: 'The whole table. One that is cut short ends with a broken connection.',
    bytes: MEDIA_TYPES,
    headers: { ...headers, 'Repr-Digest': 'Of Parquet: its SHA-256 (RFC 9530).' },
  },
  206: {
    description: 'The bytes of the range.',
    bytes: [TABLE_FORMATS.parquet.mediaType],
    headers: { ...headers, 'Content-Range': 'Which bytes these are, and of how many.' },
  },
  304: { description: 'The caller has these bytes already.', headers: validators },
} as const satisfies Record<number, OperationResponse>;

const description =
  'All rows in one of the formats, by `format` or `Accept`. Parquet is the stored file as it is, with ranges; the other ' +
  'formats are made while they are sent, in the order of the rows. `HEAD` gives the headers alone.';

const errors = ['format.not_acceptable', 'range.not_satisfiable', 'storage.object_missing', ...ENGINE_ERRORS] as const;

export const downloadOperations = {
  'dataset.download': {
    tag: 'Datasets',
    summary: 'Download a dataset',
    description,
    method: 'get',
    path: '/v1/datasets/{id}/download',
    access: 'datasets:read',
    query: downloadQuerySchema,
    headers: downloadHeadersSchema,
    responses,
    errors: ['dataset.not_found', 'dataset.not_ready', ...errors],
  },
  'result.download': {
    tag: 'Results',
    summary: 'Download a result',
    description,
    method: 'get',
    path: '/v1/results/{id}/download',
    access: 'queries:read',
    query: downloadQuerySchema,
    headers: downloadHeadersSchema,
    responses,
    errors: ['result.not_found', 'result.pending', 'result.failed', 'result.expired', ...errors],
  },
} as const satisfies Record<string, Operation>;
