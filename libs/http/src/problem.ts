import type { Problem } from '@millrace/contract';
import { ERRORS, type DomainError } from '@millrace/domain';

/** An error as RFC 9457 has it. */
export function problemOf(
  error: DomainError,
  { instance, requestId }: { readonly instance: string; readonly requestId: string },
): Problem {
  const kind = ERRORS[error.code];
  return {
    type: `urn:millrace:problem:${error.code}`,
    title: kind.title,
    status: kind.status,
    detail: error.message,
    instance,
    code: error.code,
    request_id: requestId,
    retryable: kind.retryable,
    ...(error.errors && { errors: error.errors.map((place) => ({ ...place })) }),
  };
}
