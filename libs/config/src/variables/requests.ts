import { GiB, hourMs, integer, minuteMs } from './kinds.js';

/** What clients may hold of the gateway. */
export const requestsVariables = {
  HTTP_CONNECTIONS_MAX: integer('Connections that clients may have to the gateway at once; those beyond are dropped.', {
    min: 1,
    max: 100_000,
    default: 1_000,
  }),
  JSON_BODY_TIMEOUT_MS: integer('How long the JSON body of a request may take to arrive.', {
    min: 100,
    max: hourMs,
    default: 30_000,
  }),
  UPLOADS_MAX: integer(
    'Uploads that one gateway takes in, or verifies, at once, of one tenant half of them; into a bucket each needs 20 MiB of memory.',
    { min: 2, max: 10_000, default: 64 },
  ),
  UPLOAD_BYTES_MAX: integer('Size of an upload at most.', { min: 1, default: 50 * GiB }),
  UPLOAD_IDLE_MS: integer('An upload that sends nothing for so long is ended.', { min: 100, default: 2 * minuteMs }),
};
