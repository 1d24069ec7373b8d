import { ERRORS, type ErrorCode, type ErrorRecord } from '@millrace/domain';
import { z } from 'zod';
import { PHASES, PHASES_MAX } from './phase.js';
import { CHILD_FAULTS, ERROR_PLACES_MAX, ERROR_TEXT_LENGTH_MAX, type FromChild } from './wire.js';

const text = z.string().max(ERROR_TEXT_LENGTH_MAX);
const amount = z.number().nonnegative();

const errorRecord: z.ZodType<ErrorRecord> = z.object({
  code: z.custom<ErrorCode>((code) => typeof code === 'string' && Object.hasOwn(ERRORS, code)),
  detail: text,
  errors: z
    .array(
      z.object({
        message: text,
        pointer: text.exactOptional(),
        line: z.number().exactOptional(),
        column: z.number().exactOptional(),
        column_name: text.exactOptional(),
        text: text.exactOptional(),
      }),
    )
    .max(ERROR_PLACES_MAX)
    .exactOptional(),
});

const phases = z
  .array(z.object({ name: z.enum(PHASES), startMs: amount, endMs: amount }))
  .max(PHASES_MAX)
  .optional();

const schema: z.ZodType<FromChild> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), dataBytes: amount }),
  z.object({ type: z.literal('progress'), progress: z.number().min(0).max(1) }),
  // What the answer must be depends on the task: `checkAnswer` says.
  z.object({ type: z.literal('answer'), answer: z.unknown(), dataBytes: amount, phases }),
  z.object({ type: z.literal('error'), error: errorRecord, fault: z.enum(CHILD_FAULTS).optional(), phases }),
]);

/** What a child says, if it is something that a child says. */
export function parseChildMessage(value: unknown): FromChild | undefined {
  return schema.safeParse(value).data;
}
