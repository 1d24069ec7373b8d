import { ENGINE_ERRORS, type Operation } from '../operation.js';
import { downloadHeadersSchema, TABLE_MEDIA_TYPES } from '../schemas/formats.js';
import {
  listResultsQuerySchema,
  pinResultSchema,
  resultListSchema,
  resultPageSchema,
  resultQuerySchema,
  resultSummarySchema,
} from '../schemas/queries.js';
import { downloadResponses } from './download-responses.js';

const tag = 'Results';

const unavailable = ['result.failed', 'result.expired'] as const;

export const resultOperations = {
  'result.list': {
    tag,
    summary: 'List results',
    description: 'Newest first. A member sees their own, an admin all of the tenant.',
    method: 'get',
    path: '/v1/results',
    access: 'queries:read',
    query: listResultsQuerySchema,
    responses: { 200: { description: 'A page of results.', body: resultListSchema } },
    errors: ['cursor.invalid'],
  },
  'result.get': {
    tag,
    summary: 'Read a result',
    description:
      'A page of its rows once it is `ready`; before that, and after a failure, its state. With another `format` or ' +
      '`Accept` than JSON it is the same as a download.',
    method: 'get',
    path: '/v1/results/{id}',
    access: 'queries:read',
    query: resultQuerySchema,
    headers: downloadHeadersSchema,
    responses: {
      200: {
        description: 'The state, and a page of rows; or the whole table, with the headers of a download.',
        body: resultPageSchema,
        bytes: TABLE_MEDIA_TYPES,
        headers: {
          Vary: '`Accept`.',
          ETag: 'Of a page of rows, strong.',
          'Cache-Control': 'With `ETag`: `private, no-cache`.',
        },
      },
      206: downloadResponses[206],
      304: downloadResponses[304],
    },
    errors: [
      'result.not_found',
      'result.pending',
      ...unavailable,
      'cursor.invalid',
      'format.not_acceptable',
      'range.not_satisfiable',
      'storage.object_missing',
      ...ENGINE_ERRORS,
    ],
  },
  'result.pin': {
    tag,
    summary: 'Keep a result',
    description:
      'For `ttl_s` seconds from now, or until it is unpinned or deleted; never for shorter than without. A pin takes the ' +
      'place of the one before.',
    method: 'post',
    path: '/v1/results/{id}/pin',
    access: 'queries:run',
    body: { kind: 'json', schema: pinResultSchema, optional: true },
    responses: { 200: { description: 'The result, with its new `expires_at`.', body: resultSummarySchema } },
    errors: [
      'result.not_found',
      ...unavailable,
      'request.malformed',
      'request.too_large',
      'request.unsupported_media_type',
    ],
  },
  'result.unpin': {
    tag,
    summary: 'Keep a result no longer than usual',
    description: 'It goes when its usual time is over, which may be at once.',
    method: 'delete',
    path: '/v1/results/{id}/pin',
    access: 'queries:run',
    responses: { 200: { description: 'The result, with its new `expires_at`.', body: resultSummarySchema } },
    errors: ['result.not_found', ...unavailable],
  },
  'result.delete': {
    tag,
    summary: 'Delete a result',
    description: 'Its file goes after a grace period; running queries and downloads finish. The query stays.',
    method: 'delete',
    path: '/v1/results/{id}',
    access: 'queries:run',
    responses: { 204: { description: 'It is gone.' } },
    errors: ['result.not_found', 'result.pending'],
  },
} as const satisfies Record<string, Operation>;
