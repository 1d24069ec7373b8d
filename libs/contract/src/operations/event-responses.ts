import { z } from 'zod';
import type { Operation } from '../operation.js';

/** For the document: who serves events reads them itself. */
export const eventHeadersSchema = z.object({
  'Last-Event-ID': z
    .string()
    .optional()
    .meta({ description: 'The id of the last event that the caller has: it is not sent again.' }),
});

/** How the states of something are told as they change. */
export const eventResponses = {
  200: {
    description: 'A stream of events, each with an id, and a comment now and then while there are none.',
    body: z.string().meta({ description: 'As the standard of HTML defines an event stream.' }),
    mediaType: 'text/event-stream',
  },
  204: { description: 'The caller has the final state: there is no reason to come back.' },
} as const satisfies Operation['responses'];
