import type { Catalog, QueryRunKey } from '@millrace/catalog';
import { DomainError, isStorableText, newId, toDomainError, type Principal } from '@millrace/domain';
import { describeJob } from '@millrace/queue';
import { checkRequest, type QueryRequest, type WantedStatement } from '../queries/query-request.js';
import { RunningQuery } from '../queries/running-query.js';
import type { StatementRunner } from '../queries/statement-runner.js';

export interface BackgroundSubmitterParts {
  readonly catalog: Catalog;
  readonly statements: StatementRunner;
}

/** Takes statements that are to run in the background. */
export class BackgroundSubmitter {
  constructor(private readonly parts: BackgroundSubmitterParts) {}

  /**
   * Notes a statement, which is run as soon as it has its turn.
   *
   * @param disconnected aborted when the client goes away; then nothing is noted
   * @returns undefined for one that would leave nothing in the background: it is wrong, or its answer is not kept
   * @throws DomainError `request.invalid`, `sql.empty`, `sql.too_long`, `params.invalid`, `query.too_many`
   */
  async submit(caller: Principal, body: WantedStatement, disconnected: AbortSignal): Promise<QueryRunKey | undefined> {
    const { tenantId, userId } = caller;
    const { catalog } = this.parts;
    const limits = await catalog.tenants.limitsOf(tenantId);
    const { queryTimeoutMaxMs, backgroundQueriesMax: activeMax } = limits;
    const request = checkRequest({ timeout_ms: queryTimeoutMaxMs, ...body }, { format: 'json', limits });
    const { sql, params, paramTypes, timeoutMs } = request;
    const key = { tenantId, id: newId('queryRun') };
    const query = new RunningQuery(key, { timeoutMs: limits.queryTimeoutMs });
    if (!(await this.isKept({ request, query }, disconnected))) return undefined;
    const job = { id: newId('job'), ...describeJob('query.run', { queryRunId: key.id }) };
    await catalog.backgroundRuns.create({ ...key, userId, sql, params, paramTypes, timeoutMs, job, activeMax });
    return key;
  }

  /** A mistake is told as that of any other statement. What else keeps it from being looked at is told here. */
  private async isKept(
    { request, query }: { request: QueryRequest; query: RunningQuery },
    disconnected: AbortSignal,
  ): Promise<boolean> {
    const abort = (): void => query.abort(toDomainError(disconnected.reason));
    disconnected.addEventListener('abort', abort, { once: true });
    if (disconnected.aborted) abort();
    try {
      const { isKept } = await this.parts.statements.check({ request, query });
      query.signal.throwIfAborted();
      if (isKept) checkStorable(request.sql);
      return isKept;
    } catch (error) {
      if (query.signal.aborted) throw query.signal.reason;
      const { retryable, code } = toDomainError(error);
      if (retryable || code === 'request.invalid') throw error;
      return false;
    } finally {
      query.settle();
      disconnected.removeEventListener('abort', abort);
    }
  }
}

/** What runs is what the catalog kept, which in Postgres holds neither NUL nor half a character. */
function checkStorable(sql: string): void {
  if (isStorableText(sql)) return;
  const message = 'A statement in the background can hold neither a NUL character nor half of a character.';
  throw new DomainError('request.invalid', message, { errors: [{ message, pointer: '/sql' }] });
}
