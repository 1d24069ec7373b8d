import { ENGINE_ERRORS, type Operation } from '../operation.js';
import { downloadHeadersSchema, downloadQuerySchema } from '../schemas/formats.js';
import { downloadResponses as responses } from './download-responses.js';

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
