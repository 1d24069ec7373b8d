import type { Operation } from '../operation.js';
import { pageQuerySchema } from '../schemas/common.js';
import { runQueryQuerySchema } from '../schemas/queries.js';
import {
  createSavedQuerySchema,
  listSavedQueriesQuerySchema,
  runSavedQuerySchema,
  savedQueryListSchema,
  savedQuerySchema,
  savedQueryVersionListSchema,
  savedQueryVersionQuerySchema,
  updateSavedQuerySchema,
} from '../schemas/saved-queries.js';
import { queryOperations } from './queries.js';

const tag = 'Saved queries';
const run = queryOperations['query.run'];

const jsonErrors = ['request.malformed', 'request.too_large', 'request.unsupported_media_type'] as const;
const notFound = 'saved_query.not_found';

/** Whatever can be said of a statement before it reads anything. */
const statementErrors = [
  'saved_query.name_invalid',
  'saved_query.name_taken',
  'saved_query.parameters_invalid',
  'params.invalid',
  'sql.empty',
  'sql.too_long',
  'sql.syntax',
  'sql.not_allowed',
  'sql.invalid',
  'query.deadline',
  'query.memory',
  'query.crashed',
  'query.too_many',
] as const;

export const savedQueryOperations = {
  'saved_query.create': {
    tag,
    summary: 'Save a query',
    description:
      'The statement is checked, but need not find its tables yet. All of the tenant see and run it; its maker and admins ' +
      'change it.',
    method: 'post',
    path: '/v1/saved-queries',
    access: 'queries:run',
    body: { kind: 'json', schema: createSavedQuerySchema },
    responses: {
      201: { description: 'It is saved.', body: savedQuerySchema, headers: { Location: 'Its address.' } },
    },
    errors: [...jsonErrors, ...statementErrors],
  },
  'saved_query.list': {
    tag,
    summary: 'List saved queries',
    description: 'Newest first, each with its newest version.',
    method: 'get',
    path: '/v1/saved-queries',
    access: 'queries:read',
    query: listSavedQueriesQuerySchema,
    responses: { 200: { description: 'A page of saved queries.', body: savedQueryListSchema } },
    errors: ['cursor.invalid'],
  },
  'saved_query.get': {
    tag,
    summary: 'Get a saved query',
    description: 'By its id or its name.',
    method: 'get',
    path: '/v1/saved-queries/{id}',
    access: 'queries:read',
    query: savedQueryVersionQuerySchema,
    responses: { 200: { description: 'The saved query with one of its versions.', body: savedQuerySchema } },
    errors: [notFound],
  },
  'saved_query.versions': {
    tag,
    summary: 'List the versions of a saved query',
    description: 'Newest first. A version never changes.',
    method: 'get',
    path: '/v1/saved-queries/{id}/versions',
    access: 'queries:read',
    query: pageQuerySchema,
    responses: { 200: { description: 'A page of versions.', body: savedQueryVersionListSchema } },
    errors: [notFound, 'cursor.invalid'],
  },
  'saved_query.update': {
    tag,
    summary: 'Change a saved query',
    description: 'Another statement or other parameters make a new version; the others stay and can be run.',
    method: 'put',
    path: '/v1/saved-queries/{id}',
    access: 'queries:run',
    body: { kind: 'json', schema: updateSavedQuerySchema },
    responses: { 200: { description: 'The saved query.', body: savedQuerySchema } },
    errors: [notFound, ...jsonErrors, ...statementErrors],
  },
  'saved_query.delete': {
    tag,
    summary: 'Delete a saved query',
    description: 'With all of its versions. What it was run for stays.',
    method: 'delete',
    path: '/v1/saved-queries/{id}',
    access: 'queries:run',
    responses: { 204: { description: 'It is gone.' } },
    errors: [notFound],
  },
  'saved_query.run': {
    tag,
    summary: 'Run a saved query',
    description: 'By its id or its name. The answer is that of a statement.',
    method: 'post',
    path: '/v1/saved-queries/{id}/run',
    access: 'queries:run',
    prefer: run.prefer,
    query: runQueryQuerySchema,
    body: { kind: 'json', schema: runSavedQuerySchema, optional: true },
    responses: {
      ...run.responses,
      200: {
        ...run.responses[200],
        headers: { ...run.responses[200].headers, 'X-Saved-Query-Version': 'The version that was run.' },
      },
    },
    errors: [notFound, ...run.errors],
  },
} as const satisfies Record<string, Operation>;
