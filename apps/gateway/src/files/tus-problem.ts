import { DomainError, toDomainError, type ErrorCode } from '@millrace/domain';

/** What the library of tus refuses, by its status. */
const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  404: 'upload.not_found',
  409: 'upload.offset_mismatch',
  410: 'upload.not_found',
  413: 'upload.too_large',
};

/** What the library says of a request whose body broke off. */
const ABORTED = 'aborted';

export interface TusFailure {
  readonly status: number;
  /** What the library would have said. */
  readonly detail: string;
  /** What it was told, if it was not its own refusal. */
  readonly failure: unknown;
}

/** An answer of the library that refuses something, as an error like all others. */
export function tusProblem({ status, detail, failure }: TusFailure): DomainError {
  if (failure instanceof Error && !('status_code' in failure)) return toDomainError(failure);
  if (detail.includes(ABORTED)) {
    return new DomainError('upload.interrupted', 'The bytes broke off. What has come is kept; go on from there.');
  }
  return new DomainError(CODE_OF_STATUS[status] ?? 'tus.invalid', `${detail.trim() || 'It is no request of tus'}.`);
}
