import { ProblemError } from '@millrace/contract';

/** The demo can't go on, for a reason that its message tells a person. */
export class DemoError extends Error {}

/** The command line is not understood. */
export class UsageError extends Error {}

/**
 * A thing failed after it was accepted: the server keeps the error with it.
 *
 * @param {string} what
 * @param {{ code: string, detail: string, errors?: readonly Place[] | undefined } | null | undefined} error
 */
export function failed(what, error) {
  if (!error) return new DemoError(`${what} failed, and the server does not say why.`);
  return new DemoError([`${what} failed (${error.code})`, error.detail, ...placeLines(error.errors)].join('\n'));
}

/**
 * What a person reads, on any number of lines.
 *
 * @param {unknown} error
 */
export function describe(error) {
  if (error instanceof ProblemError) return describeProblem(error.problem);
  if (error instanceof DemoError) return error.message;
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'The server did not answer in time.';
  if (error.message === 'fetch failed') return `The server does not answer: ${reason(error.cause)}`;
  return error.stack ?? error.message;
}

/** @param {import('@millrace/contract').Problem} problem */
function describeProblem({ title, detail, code, errors, request_id }) {
  return [`${title} (${code})`, detail, ...placeLines(errors), `Request ${request_id}`].join('\n');
}

/**
 * @typedef {import('@millrace/contract').Problem['errors'] extends (infer P)[] | undefined ? P : never} Place
 * @param {readonly Place[] | undefined} places
 */
function placeLines(places = []) {
  return places.map(({ message, line, column, pointer }) => {
    const place = line === undefined ? pointer : `line ${line}${column === undefined ? '' : `, column ${column}`}`;
    return place === undefined ? message : `${place}: ${message}`;
  });
}

/** A refused connection to a name with two addresses is an AggregateError without a message. @param {unknown} cause */
function reason(cause) {
  if (!(cause instanceof Error)) return 'no reason given';
  return cause.message || String(/** @type {NodeJS.ErrnoException} */ (cause).code ?? cause.name);
}
