import type { Result, ResultReuseRepository } from '@millrace/catalog';
import { DomainError, newId, type Reader, type ResultId } from '@millrace/domain';
import type { InspectAnswer } from '@millrace/engine';
import type { TablePages } from '../inputs/table-pages.js';
import { resultFile, type InputTable } from '../inputs/table-resolver.js';
import { isRowFormat } from '../formats/negotiate-answer.js';
import { inputOf } from '../queries/query-history.js';
import type { QueryRequest } from '../queries/query-request.js';
import type { RunningQuery } from '../queries/running-query.js';
import type { CheckedStatement } from '../queries/statement-runner.js';
import type { ReadableResults } from '../results/readable-results.js';
import { engineRows } from '../rows-json.js';
import { reuseKey } from './reuse-key.js';
import type { ReuseMetrics, ReuseOutcome } from './reuse-metrics.js';

/** The answer to a statement that did not run, with the result that the run has now. */
export interface ReusedAnswer extends InspectAnswer {
  readonly resultId: ResultId;
}

/** A statement whose tables were found for its caller. */
export interface AskedStatement {
  readonly caller: Reader;
  readonly request: QueryRequest;
  readonly query: RunningQuery;
  readonly checked: CheckedStatement;
  readonly tables: readonly InputTable[];
}

/** What was found for a statement; without an answer, it has to run. */
export interface FoundAnswer {
  /** For the result of the run; undefined when nobody is to reuse it. */
  readonly key: string | undefined;
  readonly answer: ReusedAnswer | undefined;
}

export interface ResultReuseParts {
  readonly results: ResultReuseRepository;
  readonly readable: ReadableResults;
  readonly pages: TablePages;
  readonly metrics: ReuseMetrics;
  readonly retentionMs: number;
}

/** What says of a result that its file can't be read any more. */
const UNREADABLE: ReadonlySet<string> = new Set(['storage.object_missing', 'storage.object_corrupt', 'result.corrupt']);

/**
 * Answers a statement with the earlier result of the same question: the same statement, parameters and versions of tables.
 * That the caller may read all of these was found out before, so it does not matter whose result that was.
 */
export class ResultReuse {
  constructor(private readonly parts: ResultReuseParts) {}

  /** @throws DomainError `query.lost` when the run has ended meanwhile; what reading may say */
  async find(asked: AskedStatement): Promise<FoundAnswer> {
    if (!asked.checked.isKept) return { key: undefined, answer: undefined };
    if (asked.checked.analyzed.isVolatile) return this.none('volatile');
    if (asked.tables.length === 0) return this.none('no_table');
    const { params, paramTypes } = asked.request;
    const key = reuseKey({ fingerprint: asked.checked.fingerprint, params, paramTypes, tables: asked.tables });
    if (asked.request.reuse === 'never') return this.none('unwanted', key);
    if (!isRowFormat(asked.request.format)) return this.none('format', key);
    const earlier = await this.parts.results.find(asked.caller.tenantId, key);
    if (!earlier) return this.none('new', key);
    const answer = await this.answerWith(earlier, asked);
    this.parts.metrics.count(answer ? 'hit' : 'gone');
    return { key, answer };
  }

  private none(why: ReuseOutcome, key?: string): FoundAnswer {
    this.parts.metrics.count(why);
    return { key, answer: undefined };
  }

  /** The rows are read first: only an answer that can be given ends the run. */
  private async answerWith(earlier: Result, asked: AskedStatement): Promise<ReusedAnswer | undefined> {
    const startedAt = performance.now();
    const rows = await this.firstRows(earlier, asked);
    if (!rows) return undefined;
    const { caller, query, tables } = asked;
    const resultId = newId('result');
    const isReused = await this.parts.results.reuse(earlier, {
      ...{ userId: caller.userId, queryRunId: query.key.id, id: resultId },
      inputs: tables.map(inputOf),
      expiresInMs: this.parts.retentionMs,
    });
    if (!isReused) return undefined;
    const { columns, rowCount } = earlier;
    const executionTimeMs = Math.round(performance.now() - startedAt);
    return { resultId, columns, rowCount, ...rows, truncated: rows.rowsReturned < rowCount, executionTimeMs };
  }

  private async firstRows(
    earlier: Result,
    { request, query }: AskedStatement,
  ): Promise<Pick<InspectAnswer, 'rowsJson' | 'rowsReturned'> | undefined> {
    const file = resultFile(earlier);
    if (!file) return undefined;
    if (request.rowsMax === 0 || earlier.rowCount === 0) return { rowsJson: '[]', rowsReturned: 0 };
    const { tenantId, columns } = earlier;
    const { rowsMax: limit, answerBytesMax } = request;
    const rowFormat = request.format === 'objects' ? engineRows('objects') : engineRows('json');
    const page = { offset: 0, limit, rowFormat, answerBytesMax, signal: query.signal };
    try {
      return await this.parts.pages.read({ tenantId, files: [file], columns, ...page });
    } catch (error) {
      if (!(error instanceof DomainError) || !UNREADABLE.has(error.code)) throw error;
      if (error.code === 'storage.object_missing') await this.parts.readable.markMissing(earlier);
      return undefined;
    }
  }
}
