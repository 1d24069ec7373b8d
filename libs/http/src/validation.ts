import { StandardSchemaValidationPipe } from '@nestjs/common';
import { DomainError, type ErrorPlace } from '@millrace/domain';

type Issue = {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
};

/** More than these help nobody. */
const PLACES_MAX = 20;

/** Checks bodies and queries against their zod schema; what does not fit is a `request.invalid` with JSON pointers. */
export function validationPipe(): StandardSchemaValidationPipe {
  return new WholeValuePipe({ exceptionFactory: (issues) => invalidRequest(issues) });
}

class WholeValuePipe extends StandardSchemaValidationPipe {
  /**
   * Nest would remove the keys `constructor` and `prototype` without a word, which columns and parameters may have. What
   * could reach a prototype, the body parser has refused.
   */
  protected override stripProtoKeys(): void {}
}

/** The error for what a schema found. */
export function invalidRequest(issues: readonly Issue[]): DomainError {
  const errors = issues.slice(0, PLACES_MAX).map(placeOf);
  const [first] = errors;
  const where = first?.pointer ? `At ${first.pointer}: ` : '';
  return new DomainError('request.invalid', `${where}${first?.message ?? 'The request is not valid.'}`, { errors });
}

function placeOf(issue: Issue): ErrorPlace {
  const keys = (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step));
  const pointer = keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  return { message: issue.message, pointer };
}
