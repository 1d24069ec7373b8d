import { ENGINE_ERRORS, type Operation } from '../operation.js';
import { TABLE_MEDIA_TYPES } from '../schemas/formats.js';
import { eventHeadersSchema, eventResponses } from './event-responses.js';
import {
  dryRunSchema,
  listQueriesQuerySchema,
  longPollHeadersSchema,
  pendingQuerySchema,
  queryAnswerSchema,
  queryRunListSchema,
  queryRunSchema,
  runQueryQuerySchema,
  runQuerySchema,
} from '../schemas/queries.js';

export const queryOperations = {
  'query.run': {
    tag: 'Queries',
    summary: 'Run a SELECT statement',
    description:
      'Tables are `datasets.<table>` and `results.<result_id>`. The answer holds the first rows; the whole result is ' +
      'stored in the background and can be read, and queried, under its `result_id`. With another `format` or `Accept` ' +
      'than JSON the answer is the table itself, all rows unless `limit_rows` is given. EXPLAIN, ' +
      'DESCRIBE, SUMMARIZE and SHOW TABLES are answered in JSON; nothing of them is stored, and their `result_id` is null. ' +
      'A statement that takes longer than the wait goes on under its deadline, and shows at `/v1/queries/{id}`. What is ' +
      'not kept, and an answer that is a table alone, is waited for until its deadline, whatever `Prefer` says. ' +
      'With `dry_run=true` a SELECT is checked and described, and does not run.',
    method: 'post',
    path: '/v1/query',
    access: 'queries:run',
    query: runQueryQuerySchema,
    prefer: true,
    body: { kind: 'json', schema: runQuerySchema },
    responses: {
      200: {
        description: 'The first rows and the id of the result, or the table; or what a dry run found.',
        body: queryAnswerSchema,
        otherBody: dryRunSchema,
        bytes: TABLE_MEDIA_TYPES,
        headers: {
          Vary: '`Accept`.',
          Link: 'With a table: the result it is of, `rel="describedby"`, which also tells the types.',
          'X-Query-Run-Id': 'With a table.',
          'X-Result-Id': 'With a table.',
          'X-Total-Row-Count': 'With a table: the rows of the result, of which `limit_rows` may have cut some.',
        },
      },
      202: {
        description: 'It takes longer than the wait, and goes on.',
        pending: pendingQuerySchema,
        headers: { Location: 'The query run.', 'Retry-After': 'When to look, in seconds.' },
      },
    },
    errors: [
      'format.not_acceptable',
      'request.malformed',
      'request.too_large',
      'request.unsupported_media_type',
      'sql.empty',
      'sql.too_long',
      'sql.syntax',
      'sql.not_allowed',
      'sql.invalid',
      'sql.failed',
      'params.invalid',
      'table.unknown',
      'column.unknown',
      'function.unknown',
      'result.processing',
      'result.not_ready',
      'query.cancelled',
      'query.lost',
      'storage.object_missing',
      ...ENGINE_ERRORS,
    ],
  },
  'query.list': {
    tag: 'Queries',
    summary: 'List the queries that ran',
    description: 'Newest first. A member sees their own, an admin all of the tenant.',
    method: 'get',
    path: '/v1/queries',
    access: 'queries:read',
    query: listQueriesQuerySchema,
    responses: { 200: { description: 'A page of query runs.', body: queryRunListSchema } },
    errors: ['cursor.invalid'],
  },
  'query.get': {
    tag: 'Queries',
    summary: 'Get a query run',
    method: 'get',
    path: '/v1/queries/{id}',
    access: 'queries:read',
    headers: longPollHeadersSchema,
    responses: {
      200: {
        description: 'The query run.',
        body: queryRunSchema,
        headers: { 'Preference-Applied': 'What of `Prefer` was heeded.' },
      },
    },
    errors: ['query.not_found'],
  },
  'query.events': {
    tag: 'Queries',
    summary: 'Follow a query run',
    description:
      'Server-sent events: `change` with the query run whenever it has changed, `end` with its final state, after which the ' +
      'stream ends. A client that comes back with `Last-Event-ID` gets what has changed since.',
    method: 'get',
    path: '/v1/queries/{id}/events',
    access: 'queries:read',
    headers: eventHeadersSchema,
    responses: eventResponses,
    errors: ['query.not_found'],
  },
  'query.cancel': {
    tag: 'Queries',
    summary: 'Cancel a query',
    description:
      'One that waits in the background ends at once, any other soon after. Cancelling again changes nothing.',
    method: 'post',
    path: '/v1/queries/{id}/cancel',
    access: 'queries:run',
    responses: { 202: { description: 'It will end soon.', body: queryRunSchema } },
    errors: ['query.not_found', 'query.finished'],
  },
} as const satisfies Record<string, Operation>;
