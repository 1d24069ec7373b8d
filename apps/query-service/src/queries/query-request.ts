import type { RunQueryBody } from '@millrace/contract';
import { isStorableText, DomainError, ERRORS, type TenantLimits } from '@millrace/domain';
import { recognizeStatement } from '@millrace/sql';

/** A statement that is to be run, within what its tenant may use. */
export interface QueryRequest {
  readonly sql: string;
  readonly params: RunQueryBody['params'];
  readonly timeoutMs: number;
  /** Rows in the answer at most. */
  readonly rowsMax: number;
  /** UTF-8 bytes of these rows' JSON at most. */
  readonly answerBytesMax: number;
  readonly resultBytesMax: number;
}

/**
 * Refuses what is no request to run a statement. A statement that is wrong passes: it becomes a query that failed, and
 * shows in the history.
 *
 * @throws DomainError `request.invalid`, `sql.empty`, `sql.too_long`, `params.invalid`
 */
export function checkRequest(body: RunQueryBody, limits: TenantLimits): QueryRequest {
  checkStatement(body.sql);
  checkParams(body.params);
  return {
    sql: body.sql,
    params: body.params,
    timeoutMs: timeoutOf(body, limits),
    rowsMax: Math.min(body.limit_rows ?? limits.inlineRowsMax, limits.inlineRowsMax),
    answerBytesMax: limits.inlineAnswerBytesMax,
    resultBytesMax: limits.resultBytesMax,
  };
}

function checkStatement(sql: string): void {
  try {
    recognizeStatement(sql);
  } catch (error) {
    if (error instanceof DomainError && ERRORS[error.code].status === 400) throw error;
  }
}

/** The catalog keeps the parameters as JSON, which in Postgres holds neither NUL nor half a character. */
function checkParams(params: RunQueryBody['params']): void {
  const texts = Object.entries(params ?? {}).flat();
  if (texts.every((text) => typeof text !== 'string' || isStorableText(text))) return;
  throw new DomainError('params.invalid', 'A parameter can hold neither a NUL character nor half of a character.');
}

function timeoutOf({ timeout_ms: wanted }: RunQueryBody, limits: TenantLimits): number {
  const { queryTimeoutMs, queryTimeoutMaxMs } = limits;
  if (wanted === undefined) return Math.min(queryTimeoutMs, queryTimeoutMaxMs);
  if (wanted <= queryTimeoutMaxMs) return wanted;
  const message = `timeout_ms can be at most ${queryTimeoutMaxMs}.`;
  throw new DomainError('request.invalid', message, { errors: [{ message, pointer: '/timeout_ms' }] });
}
