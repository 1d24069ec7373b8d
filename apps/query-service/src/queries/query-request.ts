import type { AnswerFormat, RunQueryBody } from '@millrace/contract';
import { isStorableText, DomainError, ERRORS, type TenantLimits } from '@millrace/domain';
import { recognizeStatement } from '@millrace/sql';
import { isRowFormat } from '../formats/negotiate-answer.js';

/** A statement as somebody asks for it. */
export interface WantedStatement extends RunQueryBody {
  /** SQL types that named parameters are cast to. */
  readonly paramTypes?: Readonly<Record<string, string>> | undefined;
}

/** A statement that is to be run, within what its tenant may use. */
export interface QueryRequest {
  readonly sql: string;
  readonly params: RunQueryBody['params'];
  readonly paramTypes: WantedStatement['paramTypes'];
  readonly timeoutMs: number;
  /** Whether an earlier result may be the answer. */
  readonly reuse: 'exact' | 'never';
  /** Of the answer: rows within JSON, or the table alone. */
  readonly format: AnswerFormat;
  /** Rows of a table alone at most; all when undefined. */
  readonly tableRowsMax: number | undefined;
  /** Rows within JSON at most. */
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
export function checkRequest(
  body: WantedStatement,
  { format, limits }: { readonly format: AnswerFormat; readonly limits: TenantLimits },
): QueryRequest {
  checkStatement(body.sql);
  checkParams(body.params);
  if (format === 'parquet') checkWhole(body);
  return {
    sql: body.sql,
    params: body.params,
    paramTypes: body.paramTypes,
    timeoutMs: timeoutOf(body, limits),
    reuse: body.reuse ?? 'exact',
    format,
    tableRowsMax: body.limit_rows,
    rowsMax: isRowFormat(format) ? Math.min(body.limit_rows ?? limits.inlineRowsMax, limits.inlineRowsMax) : 0,
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

/** Parquet is the file as the statement left it. */
function checkWhole({ limit_rows: limit }: RunQueryBody): void {
  if (limit === undefined) return;
  const message = 'A Parquet file holds all rows: write LIMIT into the statement instead.';
  throw new DomainError('request.invalid', message, { errors: [{ message, pointer: '/limit_rows' }] });
}

function timeoutOf({ timeout_ms: wanted }: RunQueryBody, limits: TenantLimits): number {
  const { queryTimeoutMs, queryTimeoutMaxMs } = limits;
  if (wanted === undefined) return Math.min(queryTimeoutMs, queryTimeoutMaxMs);
  if (wanted <= queryTimeoutMaxMs) return wanted;
  const message = `timeout_ms can be at most ${queryTimeoutMaxMs}.`;
  throw new DomainError('request.invalid', message, { errors: [{ message, pointer: '/timeout_ms' }] });
}
