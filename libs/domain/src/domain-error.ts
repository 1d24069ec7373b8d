import { ERRORS, type ErrorCode } from './error-catalog.js';

/** Where in the caller's input an error lies: a JSON pointer into the body, or a place in a text (1-based). */
export interface ErrorPlace {
  readonly message: string;
  readonly pointer?: string;
  readonly line?: number;
  readonly column?: number;
  /** The column of a file, by name. */
  readonly column_name?: string;
  /** The offending text, cut. */
  readonly text?: string;
}

/** An error in the form that is stored in the catalog and crosses process borders. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors?: readonly ErrorPlace[];
}

export interface DomainErrorOptions {
  readonly cause?: unknown;
  readonly errors?: readonly ErrorPlace[];
}

/**
 * An operating error: something the caller, the outside or a dependency did, with a code from the one catalog and a
 * sentence for people that says how to mend it. A programmer's error is an assertion, never this.
 */
export class DomainError extends Error {
  readonly code: ErrorCode;
  readonly errors: readonly ErrorPlace[] | undefined;

  constructor(code: ErrorCode, detail: string, options: DomainErrorOptions = {}) {
    super(detail, { cause: options.cause });
    this.name = 'DomainError';
    this.code = code;
    this.errors = options.errors;
  }

  /** Whether the same request may succeed later without a change. */
  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  /**
   * The form for the catalog, a job or another process: no stack, no cause. Sentences may quote values of rows, which
   * may hold what Postgres can't keep.
   */
  toRecord(): ErrorRecord {
    const errors = this.errors?.map(storablePlace);
    return { code: this.code, detail: storableText(this.message), ...(errors && { errors }) };
  }

  static fromRecord(record: ErrorRecord): DomainError {
    return new DomainError(record.code, record.detail, record.errors && { errors: record.errors });
  }
}

/** Whether Postgres can keep a text as it is: without NUL and without halves of characters. */
export function isStorableText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** A text as Postgres can keep it. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}

function storablePlace(place: ErrorPlace): ErrorPlace {
  const members = Object.entries(place).map(([key, value]: [string, unknown]) => [
    key,
    typeof value === 'string' ? storableText(value) : value,
  ]);
  return Object.fromEntries(members) as ErrorPlace;
}

/** The error as a DomainError: itself, or `internal` with the original as its cause. */
export function toDomainError(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  return new DomainError('internal', 'Something went wrong on our side. The request id finds it in the log.', {
    cause: error,
  });
}
