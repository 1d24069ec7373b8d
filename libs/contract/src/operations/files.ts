import { CONVERSION_ERRORS, ENGINE_ERRORS, type Operation } from '../operation.js';
import {
  analyzeFileSchema,
  fileAnalysisSchema,
  listUploadsQuerySchema,
  uploadHeadersSchema,
  uploadListSchema,
  uploadSchema,
} from '../schemas/files.js';

const tag = 'Files';

export const fileOperations = {
  'file.upload': {
    tag,
    summary: 'Upload a file',
    description:
      'The raw body of any size up to the limit, or `multipart/form-data` with one file. `Content-Type`, ' +
      '`Content-Encoding` (gzip, zstd) and the file name of `Content-Disposition` are remembered; ' +
      '`Content-Digest: sha-256=:…:` is verified when given. The upload waits for a dataset until `expires_at`.',
    method: 'post',
    path: '/v1/files',
    access: 'files:write',
    headers: uploadHeadersSchema,
    body: { kind: 'bytes' },
    responses: {
      201: { description: 'The upload is stored.', body: uploadSchema, headers: { Location: 'Its address.' } },
    },
    errors: [
      'request.too_large',
      'upload.empty',
      'upload.too_large',
      'upload.digest_mismatch',
      'upload.encoding_unsupported',
      'upload.interrupted',
      'storage.unavailable',
      'storage.full',
    ],
  },
  'file.list': {
    tag,
    summary: 'List uploads',
    description: 'Newest first. A member sees their own, an admin all of the tenant.',
    method: 'get',
    path: '/v1/files',
    access: 'files:read',
    query: listUploadsQuerySchema,
    responses: { 200: { description: 'A page of uploads.', body: uploadListSchema } },
    errors: ['cursor.invalid'],
  },
  'file.get': {
    tag,
    summary: 'Get an upload',
    method: 'get',
    path: '/v1/files/{id}',
    access: 'files:read',
    responses: { 200: { description: 'The upload.', body: uploadSchema } },
    errors: ['upload.not_found'],
  },
  'file.analyze': {
    tag,
    summary: 'See what a dataset of an upload would be',
    description:
      'Format, encoding, dialect, columns with their types, the first rows and warnings, as a conversion with the same ' +
      '`format`, `options` and `columns` would find them; nothing is made. Of a large file only the beginning is looked ' +
      'at: `complete` says so. Problems are those of a conversion.',
    method: 'post',
    path: '/v1/files/{id}/analyze',
    access: 'datasets:write',
    body: { kind: 'json', schema: analyzeFileSchema, optional: true },
    responses: { 200: { description: 'What the file is.', body: fileAnalysisSchema } },
    errors: [
      'upload.not_found',
      'upload.uploading',
      'upload.consumed',
      'upload.expired',
      'request.malformed',
      'request.too_large',
      'request.unsupported_media_type',
      ...CONVERSION_ERRORS,
      'query.cancelled',
      'storage.object_missing',
      ...ENGINE_ERRORS,
    ],
  },
  'file.delete': {
    tag,
    summary: 'Delete an upload',
    description: 'Datasets made from it stay.',
    method: 'delete',
    path: '/v1/files/{id}',
    access: 'files:write',
    responses: { 204: { description: 'It is gone.' } },
    errors: ['upload.not_found', 'upload.in_use'],
  },
} as const satisfies Record<string, Operation>;
