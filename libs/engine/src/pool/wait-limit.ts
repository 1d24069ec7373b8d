import { DomainError } from '@millrace/domain';
import type { TaskKind } from '../tasks/task.js';
import { faultError } from './fault-error.js';

/** The slow statements of one tenant leave the others a child that parses, so this is long. */
const PARSE_WAIT_MAX_MS = 10_000;

export interface WaitLimit {
  readonly ms: number;
  /** What a caller gets when it is over. */
  readonly error: DomainError;
}

/**
 * How long a task may wait for a child: until its deadline; but who wants to parse or to export has to hear sooner that there
 * are too many.
 */
export function waitLimit(
  kind: TaskKind,
  { remainingMs, exportWaitMaxMs }: { readonly remainingMs: number; readonly exportWaitMaxMs: number },
): WaitLimit {
  if (kind === 'parse' && remainingMs > PARSE_WAIT_MAX_MS) {
    return { ms: PARSE_WAIT_MAX_MS, error: crowded('Too many statements wait to be parsed. Try again in a moment.') };
  }
  if (kind === 'export' && remainingMs > exportWaitMaxMs) {
    return { ms: exportWaitMaxMs, error: crowded('Too many downloads are under way. Try again in a moment.') };
  }
  return { ms: Math.max(0, remainingMs), error: faultError(kind, 'deadline') };
}

function crowded(message: string): DomainError {
  return new DomainError('query.too_many', message);
}
