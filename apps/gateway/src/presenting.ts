import type { z } from 'zod';
import type { errorRecordSchema } from '@millrace/contract';
import type { ErrorRecord } from '@millrace/domain';

type ErrorBody = z.infer<typeof errorRecordSchema>;

/** An error that is kept with a thing, as the contract shows it. */
export function presentError(error: ErrorRecord | null): ErrorBody | null {
  if (!error) return null;
  return {
    code: error.code,
    detail: error.detail,
    ...(error.errors && { errors: error.errors.map((place) => ({ ...place })) }),
  };
}
