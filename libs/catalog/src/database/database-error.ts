import { DomainError } from '@millrace/domain';
import { QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';

/** SQLSTATE classes and codes that say "not now": connection trouble, no resources, shutting down, gave up waiting. */
const PASSING_SQLSTATES =
  /^(08...|53...|57P0[1-5]|57014|40001|40P01|55P03|25P03|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)$/;

/** What pg says without a code when a connection broke or a time limit of the client passed. */
const PASSING_MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|connection error and is not queryable|Client was closed|Cannot use a pool after calling end|Driver not Connected/;

/** What says that a text can't be kept: a NUL, half of a character, in a column of text or in JSON. */
const UNSTORABLE_SQLSTATES: ReadonlySet<string> = new Set(['22021', '22P05']);

/** Half of a character in JSON has the code of every literal that can't be read. */
const UNSTORABLE_JSON = /invalid input syntax for type json/;

/** Constraints that a caller can run into. */
const CONFLICTS: Readonly<Record<string, () => DomainError>> = {
  datasets_table_name: () => new DomainError('table_name.taken', 'The table name is in use.'),
  saved_queries_name: () => new DomainError('saved_query.name_taken', 'Another saved query has this name.'),
  // The beginning of a run does not wait for the disk, so that a crash of the database may forget it.
  results_tenant_id_query_run_id_fkey: () =>
    new DomainError('query.lost', 'The database has lost the query. Try again.'),
};
const CONFLICT_SQLSTATES: ReadonlySet<string> = new Set(['23503', '23505']);

interface DatabaseFault {
  readonly code?: string;
  readonly constraint?: string;
  readonly message?: string;
  readonly driverError?: unknown;
}

/**
 * The error as callers should see it: `service.unavailable` when the database did not answer (the same call may
 * succeed later), `request.invalid` when it can't keep a text, a conflict by the name of its constraint, or the error
 * itself.
 */
export function fromDatabaseError(error: unknown): unknown {
  if (error instanceof DomainError || typeof error !== 'object' || error === null) return error;
  const fault = innermost(error);
  if (isOfBrokenConnection(error) || isPassing(fault)) {
    return new DomainError('service.unavailable', 'The database does not answer. Try again in a moment.', {
      cause: error,
    });
  }
  if (isUnstorable(fault)) {
    const detail = 'A text holds a NUL character or half of a character, which the catalog can not keep.';
    return new DomainError('request.invalid', detail, { cause: error });
  }
  return (CONFLICT_SQLSTATES.has(fault.code ?? '') && CONFLICTS[fault.constraint ?? '']?.()) || error;
}

/** A second wall: texts of requests are checked by their schemas, what files hold is checked where it is read. */
function isUnstorable({ code = '', message = '' }: DatabaseFault): boolean {
  return UNSTORABLE_SQLSTATES.has(code) || (code === '22P02' && UNSTORABLE_JSON.test(message));
}

function isPassing({ code = '', message = '' }: DatabaseFault): boolean {
  return PASSING_SQLSTATES.test(code) || PASSING_MESSAGES.test(message);
}

/**
 * When a connection breaks between two statements of a transaction, TypeORM takes it away from the transaction, whose
 * next statement, be it the COMMIT, fails with one of these. Why the connection broke it tells nobody.
 */
function isOfBrokenConnection(error: object): boolean {
  return error instanceof QueryRunnerAlreadyReleasedError || error instanceof QueryRunnerProviderAlreadyReleasedError;
}

function innermost(error: DatabaseFault): DatabaseFault {
  const inner = error.driverError;
  return typeof inner === 'object' && inner !== null ? inner : error;
}
