import { link, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { TABLE_FORMATS, type TableAnswerFormat } from '@millrace/contract';
import type { QueryRunId, ResultId, TenantId } from '@millrace/domain';
import type { QueryResult } from '@millrace/engine';
import type { Held } from '../downloads/held.js';
import type { LocalFile, TableStreams } from '../downloads/table-streams.js';

/** An answer that is the rows of a statement as a table alone. */
export interface QueryTable {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

export interface QueryTableRequest {
  readonly tenantId: TenantId;
  readonly queryRunId: QueryRunId;
  readonly resultId: ResultId;
  readonly result: QueryResult;
  readonly file: LocalFile;
  readonly format: TableAnswerFormat;
  /** Rows at most. */
  readonly limit: number | undefined;
  readonly deadlineMs: number;
  readonly held: Held;
  readonly signal: AbortSignal;
}

/**
 * A second name for a result's file until what is held is given back: the first goes when the file is in the store,
 * whoever still reads it.
 */
export async function nameAgain({ path, sizeBytes }: LocalFile, held: Held): Promise<LocalFile> {
  const second = `${path}.answer`;
  await link(path, second);
  held.add(() => rm(second, { force: true }).catch(() => undefined));
  return { path: second, sizeBytes };
}

/** @throws DomainError as `TableStreams.local` does */
export async function openQueryTable(streams: TableStreams, request: QueryTableRequest): Promise<QueryTable> {
  const { tenantId, held, signal, file, format, limit, deadlineMs, result } = request;
  const { columns } = result;
  const encoding = format === 'parquet' ? undefined : { columns, format, limit, deadlineMs };
  const body = await streams.local({ tenantId, held, signal, file, encoding });
  return { headers: headersOf(request), body };
}

function headersOf({ queryRunId, resultId, result, format }: QueryTableRequest): Record<string, string> {
  return {
    'content-type': TABLE_FORMATS[format].contentType,
    link: `</v1/results/${resultId}>; rel="describedby"`,
    'x-query-run-id': queryRunId,
    'x-result-id': resultId,
    'x-total-row-count': String(result.rowCount),
  };
}
