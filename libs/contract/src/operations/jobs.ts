import type { Operation } from '../operation.js';
import { eventHeadersSchema, eventResponses } from './event-responses.js';
import { jobListSchema, jobSchema, listJobsQuerySchema } from '../schemas/jobs.js';

const tag = 'Jobs';

export const jobOperations = {
  'job.list': {
    tag,
    summary: 'List jobs',
    description: 'Newest first.',
    method: 'get',
    path: '/v1/jobs',
    access: 'jobs:read',
    query: listJobsQuerySchema,
    responses: { 200: { description: 'A page of jobs.', body: jobListSchema } },
    errors: ['cursor.invalid'],
  },
  'job.get': {
    tag,
    summary: 'Get a job',
    method: 'get',
    path: '/v1/jobs/{id}',
    access: 'jobs:read',
    responses: { 200: { description: 'The job.', body: jobSchema } },
    errors: ['job.not_found'],
  },
  'job.events': {
    tag,
    summary: 'Follow a job',
    description:
      'Server-sent events: `change` with the job whenever it has changed, `end` with its final state, after which the stream ' +
      'ends. A client that comes back with `Last-Event-ID` gets what has changed since.',
    method: 'get',
    path: '/v1/jobs/{id}/events',
    access: 'jobs:read',
    headers: eventHeadersSchema,
    responses: eventResponses,
    errors: ['job.not_found'],
  },
  'job.cancel': {
    tag,
    summary: 'Cancel a job',
    description: 'A job that waits ends at once, one that runs soon after.',
    method: 'post',
    path: '/v1/jobs/{id}/cancel',
    access: 'jobs:write',
    responses: { 202: { description: 'It will end soon.', body: jobSchema } },
    errors: ['job.not_found', 'job.finished'],
  },
} as const satisfies Record<string, Operation>;
