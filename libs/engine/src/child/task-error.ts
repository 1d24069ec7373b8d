import { DomainError, type ErrorPlace, type ErrorRecord } from '@millrace/domain';
// Not all of the package: a child starts in a third of a second, and the logger would take half as long again.
import { errorFields } from '@millrace/telemetry/error-fields';
import { faultError } from '../pool/fault-error.js';
import { ERROR_PLACES_MAX, ERROR_TEXT_LENGTH_MAX } from '../pool/wire.js';
import type { TaskKind } from '../tasks/task.js';
import { isOutOfMemory, readDuckdbError } from './duckdb-error.js';
import { toStorageFull } from './storage-full.js';
import type { FailedTask } from './task-outcome.js';

/** What a task threw, in the form that crosses to the supervisor: no paths of ours, a fault where the child must go. */
export function toTaskError(error: unknown, kind: TaskKind, folders: readonly string[]): FailedTask {
  const duckdb = readDuckdbError(error);
  if (duckdb && isOutOfMemory(duckdb)) return { error: faultError(kind, 'memory').toRecord(), fault: 'memory' };
  if (duckdb?.type === 'INTERRUPT') return { error: faultError(kind, 'cancelled').toRecord(), fault: 'interrupted' };
  const known = error instanceof DomainError ? error : (toStorageFull(error) ?? unexpected(error, kind));
  const text = JSON.stringify(bounded(known.toRecord()));
  const clean = folders.reduce((left, folder) => left.replaceAll(`${folder}/`, '').replaceAll(folder, ''), text);
  return { error: JSON.parse(clean) as ErrorRecord, fault: known.code === 'query.memory' ? 'memory' : undefined };
}

function errorLines(error: unknown): string {
  const lines = errorFields(error).errors.flatMap(({ name, code, frames }) => [
    code === undefined ? name : `${name} ${code}`,
    ...frames.map((frame) => `    ${frame}`),
  ]);
  return `${lines.join('\n')}\n`;
}

/** DuckDB's messages may quote a line of a file; the supervisor takes no text that is so long. */
function bounded({ code, detail, errors }: ErrorRecord): ErrorRecord {
  const places = errors?.slice(0, ERROR_PLACES_MAX).map(boundedPlace);
  return { code, detail: cut(detail), ...(places && { errors: places }) };
}

function boundedPlace(place: ErrorPlace): ErrorPlace {
  const members = Object.entries(place).map(([key, value]: [string, unknown]) => [
    key,
    typeof value === 'string' ? cut(value) : value,
  ]);
  return Object.fromEntries(members) as ErrorPlace;
}

function cut(text: string): string {
  return text.length > ERROR_TEXT_LENGTH_MAX ? `${text.slice(0, ERROR_TEXT_LENGTH_MAX - 1)}…` : text;
}

function unexpected(error: unknown, kind: TaskKind): DomainError {
  const duckdb = readDuckdbError(error);
  if (duckdb && (kind === 'convert' || kind === 'analyze')) return new DomainError('conversion.failed', duckdb.message);
  if (duckdb && kind === 'query') return new DomainError('sql.failed', duckdb.message);
  if (duckdb && (kind === 'read' || kind === 'export'))
    return new DomainError('result.corrupt', 'A stored file can not be read.');
  // To the service's log, by way of stderr; never to the caller. Its message may quote what the caller sent.
  process.stderr.write(errorLines(error));
  return new DomainError('internal', 'Something went wrong in an engine process.');
}
