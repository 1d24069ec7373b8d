import type { Catalog, QueryRunKey } from '@millrace/catalog';
import type { AnswerFormat, PendingQueryBody, TableAnswerFormat } from '@millrace/contract';
import { DomainError, newId, toDomainError, type EventBus, type Principal, type TenantLimits } from '@millrace/domain';
import type { QueryResult } from '@millrace/engine';
import type { Logger } from '@millrace/telemetry';
import type { BackgroundSubmitter } from '../background/background-submitter.js';
import type { Held } from '../downloads/held.js';
import type { LocalFile, TableStreams } from '../downloads/table-streams.js';
import { isRowFormat } from '../formats/negotiate-answer.js';
import type { InputTable } from '../inputs/table-resolver.js';
import type { OpenWork } from '../open-work.js';
import type { ResultKeeper } from '../results/result-keeper.js';
import type { ResultFile } from '../results/result-writer.js';
import { AnswerWait, PARTED } from './answer-wait.js';
import { queryAnswer } from './query-answer.js';
import type { QueryHistory } from './query-history.js';
import type { QueryMetrics } from './query-metrics.js';
import { checkRequest, type QueryRequest, type WantedStatement } from './query-request.js';
import { nameAgain, openQueryTable, type QueryTable } from './query-table.js';
import { tooManyQueries, type RunningQueries } from './running-queries.js';
import type { RunningQuery } from './running-query.js';
import type { CheckedStatement, StatementResult, StatementRunner } from './statement-runner.js';

export interface QueriesServiceParts {
  readonly catalog: Catalog;
  readonly events: EventBus;
  readonly work: OpenWork;
  readonly running: RunningQueries;
  readonly history: QueryHistory;
  readonly statements: StatementRunner;
  readonly submitter: BackgroundSubmitter;
  readonly keeper: ResultKeeper;
  readonly streams: TableStreams;
  readonly metrics: QueryMetrics;
  readonly logger: Logger;
}

export interface AnswerOptions {
  readonly format: AnswerFormat;
  /** Whether the client wants no rows, but to hear at once where they will be found. */
  readonly isBackground: boolean;
  /** How long the client waits for rows, from now; for what can't be found later it waits until the deadline. */
  readonly waitMs: number;
  /** Aborted when the client goes away: that cancels the query while it is waited for, and ends its answer. */
  readonly disconnected: AbortSignal;
}

/** The answer to a statement as JSON text. */
export interface QueryText {
  readonly json: string;
}

/** What there is to say of a query that goes on without its client. */
export interface PendingQuery {
  readonly pending: PendingQueryBody;
}

interface Admitted {
  readonly caller: Principal;
  readonly request: QueryRequest;
  readonly query: RunningQuery;
  readonly limits: TenantLimits;
  /** The gate's word on the statement, which is on its way. */
  readonly checked: Promise<CheckedStatement>;
  readonly wait: AnswerWait;
}

/** What a statement left, with a file. */
type KeptResult = StatementResult & { readonly result: QueryResult };

interface AnnouncedResult extends Pick<KeptResult, 'result' | 'reuseKey'> {
  readonly file: ResultFile;
  readonly held: Held | undefined;
}

interface Wanted {
  readonly caller: Principal;
  readonly body: WantedStatement;
  readonly key: QueryRunKey;
  readonly format: AnswerFormat;
  readonly wait: AnswerWait;
}

/** Runs the statements of callers. */
export class QueriesService {
  constructor(private readonly parts: QueriesServiceParts) {}

  /**
   * Runs a statement and gives its first rows, or all as a table; the result goes into the store afterwards.
   *
   * @returns the answer as JSON text, or as a stream whose first bytes are there; or where the query stands, when it takes
   * longer than the wait
   * @throws DomainError as `query.run` of the contract lists them
   */
  async run(
    caller: Principal,
    body: WantedStatement,
    { format, isBackground, waitMs, disconnected }: AnswerOptions,
  ): Promise<QueryText | QueryTable | PendingQuery> {
    const { work, submitter } = this.parts;
    if (isBackground && isRowFormat(format)) {
      const submitted = await work.run(() => submitter.submit(caller, body, disconnected));
      if (submitted) return { pending: await this.pending(submitted) };
    }
    const key = { tenantId: caller.tenantId, id: newId('queryRun') };
    const wait = new AnswerWait(disconnected, { waitMs });
    const running = work.run(() => this.runObserved({ caller, body, key, format, wait }));
    const answer = await wait.for(running);
    if (answer !== PARTED) return answer;
    work.follow(() => this.announceEnd(key, running));
    return { pending: await this.pending(key) };
  }

  /** Those who look later may be waiting. */
  private async announceEnd({ tenantId, id: queryRunId }: QueryRunKey, running: Promise<unknown>): Promise<void> {
    await running.catch(() => undefined);
    await this.parts.events.publish({ type: 'query.ended', tenantId, queryRunId });
  }

  private async pending({ tenantId, id }: QueryRunKey): Promise<PendingQueryBody> {
    const { status, createdAt, startedAt } = await this.parts.catalog.queryRuns.get(tenantId, id);
    const times = { queued_at: createdAt.toISOString(), started_at: startedAt?.toISOString() ?? null };
    return { query_run_id: id, status, ...times };
  }

  private async runObserved(wanted: Wanted): Promise<QueryText | QueryTable> {
    const startedAt = performance.now();
    try {
      const answer = await this.admit(wanted);
      this.observe(wanted.key, { outcome: 'succeeded', startedAt });
      return answer;
    } catch (error) {
      this.observe(wanted.key, { outcome: toDomainError(error).code, startedAt });
      throw error;
    }
  }

  private async admit({ caller, body, key, format, wait }: Wanted): Promise<QueryText | QueryTable> {
    const { catalog, running } = this.parts;
    const [limits, activeCount] = await Promise.all([
      catalog.tenants.limitsOf(key.tenantId),
      catalog.queryRuns.countActive(key.tenantId),
    ]);
    const request = checkRequest(body, { format, limits });
    const { timeoutMs } = request;
    const query = running.open(key, { timeoutMs, concurrencyMax: limits.queryConcurrencyMax });
    const { disconnected } = wait;
    const abort = (): void => query.abort(toDomainError(disconnected.reason));
    disconnected.addEventListener('abort', abort, { once: true });
    if (disconnected.aborted) abort();
    try {
      // The tenant's queries in other services count, too. Two that arrive at once in two of them may both pass.
      if (activeCount >= limits.queryConcurrencyMax) throw tooManyQueries(limits.queryConcurrencyMax);
      // A parse reads no files: it need not wait for the row of the query, which has its error all the same.
      const checked = this.parts.statements.check({ request, query });
      checked.catch(() => undefined);
      await this.parts.history.create(key, caller, request);
      query.isRecorded = true;
      return await this.runRecorded({ caller, request, query, limits, checked, wait });
    } finally {
      disconnected.removeEventListener('abort', abort);
      running.close(query);
    }
  }

  /** Whatever happens from here on, the row of the query is ended. */
  private async runRecorded(admitted: Admitted): Promise<QueryText | QueryTable> {
    const { query } = admitted;
    try {
      return await this.runHolding(admitted);
    } catch (error) {
      // An aborted statement may throw anything on its way out: why it was aborted is what counts.
      const reason = query.signal.aborted ? toDomainError(query.signal.reason) : toDomainError(error);
      await this.parts.history.end(query.key, reason);
      throw reason;
    }
  }

  /** A table alone needs a place among the tenant's downloads, which is taken before work is done for it. */
  private async runHolding(admitted: Admitted): Promise<QueryText | QueryTable> {
    const { query, request, limits, wait } = admitted;
    const isTable = !isRowFormat(request.format);
    const held = isTable ? this.parts.streams.reserve(query.key.tenantId, limits.downloadConcurrencyMax) : undefined;
    try {
      const checked = await admitted.checked;
      if (checked.isKept && !isTable) wait.allowParting();
      const noteStart = (tables: readonly InputTable[]): Promise<void> => this.parts.history.start(query.key, tables);
      const done = await this.parts.statements.run({ ...admitted, noteStart }, checked);
      query.settle();
      return await this.deliver(admitted, { ...done, held });
    } catch (error) {
      await held?.release();
      throw error;
    }
  }

  private async deliver(
    admitted: Admitted,
    { result, held, ...done }: StatementResult & { readonly held: Held | undefined },
  ): Promise<QueryText | QueryTable> {
    if ('filePath' in result) return this.deliverKept(admitted, { ...done, result, held });
    const { key } = admitted.query;
    const { tables } = done;
    const answered = { queryRunId: key.id, result, tables, warnings: [] };
    if ('resultId' in result) return { json: queryAnswer({ ...answered, resultId: result.resultId, reused: true }) };
    await this.parts.history.succeed(key, { rowCount: result.rowCount });
    return { json: queryAnswer({ ...answered, resultId: null }) };
  }

  /** The order matters: the result is known before its rows are answered, and its file is stored after that. */
  private async deliverKept(
    admitted: Admitted,
    { result, tables, reuseKey, held }: KeptResult & { readonly held: Held | undefined },
  ): Promise<QueryText | QueryTable> {
    const { tenantId, id: queryRunId } = admitted.query.key;
    const { filePath, sizeBytes } = result;
    const file = { tenantId, resultId: newId('result'), path: filePath, sizeBytes };
    const second = await this.announce(admitted, { file, result, reuseKey, held });
    const warnings = this.parts.keeper.keep(file);
    const answered = { queryRunId, resultId: file.resultId, result };
    if (!held || !second) return { json: queryAnswer({ ...answered, tables, warnings }) };
    const { request, limits, wait } = admitted;
    return openQueryTable(this.parts.streams, {
      ...{ ...answered, tenantId, file: second, held, signal: wait.disconnected },
      format: request.format as TableAnswerFormat,
      limit: request.tableRowsMax,
      deadlineMs: limits.queryTimeoutMaxMs,
    });
  }

  /** @returns the file under a second name, for who holds one */
  private async announce(
    { caller, query }: Admitted,
    { file, result, reuseKey, held }: AnnouncedResult,
  ): Promise<LocalFile | undefined> {
    const { columns, rowCount } = result;
    try {
      const second = held && (await nameAgain(file, held));
      const facts = { userId: caller.userId, queryRunId: query.key.id, columns, rowCount, reuseKey };
      await this.parts.keeper.announce(file, facts);
      return second;
    } catch (error) {
      this.parts.keeper.drop(file, toDomainError(error));
      throw error;
    }
  }

  /** The statement itself is nobody's business but its tenant's: it is in the catalog, never in the log. */
  private observe(
    { tenantId, id }: QueryRunKey,
    done: { outcome: 'succeeded' | DomainError['code']; startedAt: number },
  ): void {
    const durationMs = performance.now() - done.startedAt;
    this.parts.metrics.observe(done.outcome, durationMs);
    const fields = { tenantId, queryRunId: id, outcome: done.outcome, durationMs: Math.round(durationMs) };
    this.parts.logger.info(fields, 'query');
  }
}
