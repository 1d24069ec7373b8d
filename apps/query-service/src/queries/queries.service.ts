import type { Catalog, QueryRunKey } from '@millrace/catalog';
import type { RunQueryBody } from '@millrace/contract';
import { DomainError, newId, toDomainError, type Principal, type TenantLimits } from '@millrace/domain';
import type { Logger } from '@millrace/telemetry';
import type { OpenWork } from '../open-work.js';
import type { ResultKeeper } from '../results/result-keeper.js';
import { queryAnswer } from './query-answer.js';
import type { QueryHistory } from './query-history.js';
import type { QueryMetrics } from './query-metrics.js';
import { checkRequest, type QueryRequest } from './query-request.js';
import { tooManyQueries, type RunningQueries } from './running-queries.js';
import type { RunningQuery } from './running-query.js';
import type { StatementResult, StatementRunner } from './statement-runner.js';

export interface QueriesServiceParts {
  readonly catalog: Catalog;
  readonly work: OpenWork;
  readonly running: RunningQueries;
  readonly history: QueryHistory;
  readonly statements: StatementRunner;
  readonly results: ResultKeeper;
  readonly metrics: QueryMetrics;
  readonly logger: Logger;
}

interface Admitted {
  readonly caller: Principal;
  readonly request: QueryRequest;
  readonly query: RunningQuery;
}

/** Runs the statements of callers. */
export class QueriesService {
  constructor(private readonly parts: QueriesServiceParts) {}

  /**
   * Runs a statement and gives its first rows; the whole result goes into the store afterwards.
   *
   * @param disconnected aborted when the client goes away: that cancels the query
   * @returns the answer as JSON text
   * @throws DomainError as `query.run` of the contract lists them
   */
  run(caller: Principal, body: RunQueryBody, disconnected: AbortSignal): Promise<string> {
    return this.parts.work.run(async () => {
      const startedAt = performance.now();
      const key = { tenantId: caller.tenantId, id: newId('queryRun') };
      try {
        const text = await this.admit({ caller, body, key, disconnected });
        this.observe(key, { outcome: 'succeeded', startedAt });
        return text;
      } catch (error) {
        this.observe(key, { outcome: toDomainError(error).code, startedAt });
        throw error;
      }
    });
  }

  private async admit(wanted: {
    caller: Principal;
    body: RunQueryBody;
    key: QueryRunKey;
    disconnected: AbortSignal;
  }): Promise<string> {
    const { caller, key, disconnected } = wanted;
    const { catalog, running } = this.parts;
    const limits = await catalog.tenants.limitsOf(key.tenantId);
    const request = checkRequest(wanted.body, limits);
    const { timeoutMs } = request;
    const query = running.open(key, { timeoutMs, concurrencyMax: limits.queryConcurrencyMax });
    const abort = (): void => query.abort(toDomainError(disconnected.reason));
    disconnected.addEventListener('abort', abort, { once: true });
    if (disconnected.aborted) abort();
    try {
      await this.refuseCrowd(limits, key);
      await this.parts.history.create(key, caller, request);
      query.isRecorded = true;
      return await this.runRecorded({ caller, request, query });
    } finally {
      disconnected.removeEventListener('abort', abort);
      running.close(query);
    }
  }

  /** The tenant's queries in other services count, too. Two that arrive at once in two of them may both pass. */
  private async refuseCrowd({ queryConcurrencyMax }: TenantLimits, { tenantId }: QueryRunKey): Promise<void> {
    const active = await this.parts.catalog.queryRuns.countActive(tenantId);
    if (active >= queryConcurrencyMax) throw tooManyQueries(queryConcurrencyMax);
  }

  /** Whatever happens from here on, the row of the query is ended. */
  private async runRecorded(admitted: Admitted): Promise<string> {
    const { query } = admitted;
    try {
      const done = await this.parts.statements.run(admitted);
      query.settle();
      return await this.deliver(admitted, done);
    } catch (error) {
      // An aborted statement may throw anything on its way out: why it was aborted is what counts.
      const reason = query.signal.aborted ? toDomainError(query.signal.reason) : toDomainError(error);
      await this.parts.history.end(query.key, reason);
      throw reason;
    }
  }

  /** The order matters: the result is known before its rows are answered, and its file is stored after that. */
  private async deliver({ caller, query }: Admitted, { result, tables }: StatementResult): Promise<string> {
    const { tenantId, id: queryRunId } = query.key;
    const { columns, rowCount, filePath, sizeBytes } = result;
    const file = { tenantId, resultId: newId('result'), path: filePath, sizeBytes };
    try {
      await this.parts.results.announce(file, { userId: caller.userId, queryRunId, columns, rowCount });
      await this.parts.history.succeed(query.key, { rowCount, sizeBytes });
    } catch (error) {
      this.parts.results.drop(file, toDomainError(error));
      throw error;
    }
    const warnings = this.parts.results.keep(file);
    return queryAnswer({ queryRunId, resultId: file.resultId, result, tables, warnings });
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
