import type { Catalog, Result } from '@millrace/catalog';
import { PAGE_LIMIT_MAX, type resultPageSchema, type RowFormat } from '@millrace/contract';
import { DomainError, type Principal, type ResultId } from '@millrace/domain';
import type { ReadResult } from '@millrace/engine';
import { decodeOffsetCursor, encodeCursor, type PageFields } from '@millrace/http';
import type { z } from 'zod';
import { isNamed } from '../downloads/entity-tag.js';
import type { InputFile } from '../inputs/input-files.js';
import { resultFile } from '../inputs/table-resolver.js';
import type { TablePages } from '../inputs/table-pages.js';
import type { OpenWork } from '../open-work.js';
import { columnFields, engineRows, withRows } from '../rows-json.js';
import { pageTag } from './page-tag.js';
import type { ReadableResults } from './readable-results.js';

/** A row that is longer than a whole page may be is read alone, up to this. */
const ROW_BYTES_MAX = 64 * 1024 ** 2;

export interface ResultPagesParts {
  readonly catalog: Catalog;
  readonly results: ReadableResults;
  readonly pages: TablePages;
  readonly work: OpenWork;
}

export interface PageQuery {
  readonly limit: number;
  readonly format: RowFormat;
  readonly cursor?: string | undefined;
  /** `If-None-Match` of the request. */
  readonly ifNoneMatch?: string | undefined;
}

export interface ResultPage {
  /** The answer as JSON text; undefined when the caller has it already. */
  readonly text: string | undefined;
  /** Of a page of rows. */
  readonly tag?: string;
  /** Undefined for a result without rows to read. */
  readonly pageFields?: PageFields;
}

type ResultFields = Omit<z.output<typeof resultPageSchema>, 'rows'>;

/** What can be read of a result: a page of its rows when it is ready, else how it stands. */
export class ResultPagesService {
  constructor(private readonly parts: ResultPagesParts) {}

  /** @throws DomainError `result.not_found`, `cursor.invalid`, `storage.unavailable`, `query.too_many`, … */
  get(caller: Principal, id: ResultId, query: PageQuery & { readonly signal: AbortSignal }): Promise<ResultPage> {
    return this.parts.work.run(async () => {
      const offset = decodeOffsetCursor(query.cursor);
      const result = await this.parts.results.get(caller, id);
      const file = resultFile(result);
      if (result.status !== 'ready' || !file) return stateOf(result);
      const { inlineAnswerBytesMax: answerBytesMax } = await this.parts.catalog.tenants.limitsOf(caller.tenantId);
      const wanted = { ...query, limit: Math.min(query.limit, PAGE_LIMIT_MAX), offset, answerBytesMax };
      const tag = pageTag(result, wanted);
      if (isNamed(tag, query.ifNoneMatch)) return { text: undefined, tag };
      const signal = AbortSignal.any([query.signal, this.parts.work.signal]);
      try {
        const page = await this.read({ ...wanted, result, file, signal });
        return { ...pageOf(result, { page, offset }), tag };
      } catch (error) {
        if (!(error instanceof DomainError) || error.code !== 'storage.object_missing') throw error;
        await this.parts.results.markMissing(result);
        return stateOf(await this.parts.results.get(caller, id));
      }
    });
  }

  private async read(wanted: {
    result: Result;
    file: InputFile;
    offset: number;
    limit: number;
    format: RowFormat;
    answerBytesMax: number;
    signal: AbortSignal;
  }): Promise<ReadResult> {
    const { result, file, offset, signal } = wanted;
    const { tenantId, columns } = result;
    const rowFormat = engineRows(wanted.format);
    const read = (limit: number, answerBytesMax: number): Promise<ReadResult> =>
      this.parts.pages.read({ tenantId, files: [file], columns, offset, limit, rowFormat, answerBytesMax, signal });
    const page = await read(wanted.limit, wanted.answerBytesMax);
    if (page.rowsReturned > 0 || !page.truncated) return page;
    // Without its row a page would lead to itself for ever.
    const single = await read(1, ROW_BYTES_MAX);
    if (single.rowsReturned > 0) return single;
    throw new DomainError(
      'query.result_too_large',
      `Row ${offset + 1} of the result has more than ${ROW_BYTES_MAX} bytes. Select parts of it in SQL.`,
    );
  }
}

function stateOf(result: Result): ResultPage {
  return { text: JSON.stringify(fieldsOf(result)) };
}

function pageOf(result: Result, { page, offset }: { page: ReadResult; offset: number }): ResultPage {
  const end = offset + page.rowsReturned;
  const hasMore = end < page.totalRowCount;
  const pageFields = { has_more: hasMore, next_cursor: hasMore ? encodeCursor(end) : null };
  const fields: ResultFields = { ...fieldsOf(result), row_count: page.rowsReturned, ...pageFields };
  return { text: withRows(fields, page.rowsJson), pageFields };
}

function fieldsOf(result: Result): ResultFields {
  const { error, sizeBytes } = result;
  return {
    result_id: result.id,
    query_run_id: result.queryRunId,
    status: result.status,
    ...(error && { error: { ...error, errors: error.errors?.map((place) => ({ ...place })) } }),
    ...columnFields(result.columns),
    total_row_count: result.rowCount,
    ...(sizeBytes !== null && { size_bytes: sizeBytes }),
    created_at: result.createdAt.toISOString(),
    expires_at: result.expiresAt?.toISOString() ?? null,
  };
}
