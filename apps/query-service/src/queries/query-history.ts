import { setTimeout as sleep } from 'node:timers/promises';
import { queryRunLost, type QueryInput, type QueryRunKey, type QueryRunRepository } from '@millrace/catalog';
import { storableText, type DomainError, type Principal } from '@millrace/domain';
import { errorFields, type Logger } from '@millrace/telemetry';
import type { InputTable } from '../inputs/table-resolver.js';
import type { QueryRequest } from './query-request.js';

const END_TRIES_MAX = 3;
const END_PAUSE_MS = 200;

/** What becomes of each query, in its row of the catalog. */
export class QueryHistory {
  constructor(
    private readonly queryRuns: QueryRunRepository,
    private readonly options: { readonly leaseMs: number; readonly logger: Logger },
  ) {}

  /** The row is there before any table is looked for. */
  async create({ tenantId, id }: QueryRunKey, caller: Principal, request: QueryRequest): Promise<void> {
    const { userId } = caller;
    const { leaseMs } = this.options;
    const { params, timeoutMs } = request;
    await this.queryRuns.create({ tenantId, id, userId, sql: storableText(request.sql), params, timeoutMs, leaseMs });
  }

  /** @throws DomainError `query.lost` when the row has ended meanwhile */
  async start(key: QueryRunKey, tables: readonly InputTable[]): Promise<void> {
    const { leaseMs } = this.options;
    if (!(await this.queryRuns.start(key, { leaseMs, inputs: tables.map(inputOf) }))) throw queryRunLost();
  }

  /**
   * Ends a query that leaves no result. The keeper of results ends one that does.
   *
   * @throws DomainError `query.lost` when the row has ended meanwhile
   */
  async succeed(key: QueryRunKey, facts: { rowCount: number }): Promise<void> {
    if (!(await this.queryRuns.succeed(key, facts))) throw queryRunLost();
  }

  /** Ends a query that has no answer. Never throws: what can't be written now, the end of the lease says later. */
  async end(key: QueryRunKey, error: DomainError): Promise<void> {
    for (let tries = 1; tries <= END_TRIES_MAX; tries += 1) {
      try {
        await this.write(key, error);
        return;
      } catch (cause) {
        this.options.logger.warn(
          { ...errorFields(cause), queryRunId: key.id },
          'the end of a query could not be written',
        );
      }
      if (tries < END_TRIES_MAX) await sleep(END_PAUSE_MS);
    }
  }

  private write(key: QueryRunKey, error: DomainError): Promise<boolean> {
    if (error.code === 'query.cancelled') return this.queryRuns.cancel(key);
    return this.queryRuns.fail(key, error.toRecord());
  }
}

/** What a table of a statement is in the history. */
export function inputOf({ source }: InputTable): QueryInput {
  if (source.type === 'result') return { resultId: source.resultId };
  return { datasetId: source.datasetId, versionId: source.versionId };
}
