import type { Catalog } from '@millrace/catalog';
import type { DryRunBody, RunQueryBody } from '@millrace/contract';
import { DomainError, newId, toDomainError, type Principal } from '@millrace/domain';
import type { InputTable, TableResolver } from '../inputs/table-resolver.js';
import type { OpenWork } from '../open-work.js';
import { presentInput } from '../queries/query-answer.js';
import { checkRequest, type QueryRequest } from '../queries/query-request.js';
import type { RunningQueries } from '../queries/running-queries.js';
import type { RunningQuery } from '../queries/running-query.js';
import type { CheckedStatement, StatementRunner } from '../queries/statement-runner.js';
import { columnFields } from '../rows-json.js';
import type { StatementPlanner } from './statement-planner.js';

export interface DryRunsServiceParts {
  readonly catalog: Catalog;
  readonly work: OpenWork;
  readonly running: RunningQueries;
  readonly statements: StatementRunner;
  readonly tables: TableResolver;
  readonly planner: StatementPlanner;
}

export interface DryRunOptions {
  readonly isPlanWanted: boolean;
  /** Aborted when the client goes away. */
  readonly disconnected: AbortSignal;
}

/** Says of statements what they would give. Nothing runs, and nothing is noted: there is no run in the history. */
export class DryRunsService {
  constructor(private readonly parts: DryRunsServiceParts) {}

  /** @throws DomainError as a run would; `sql.not_allowed` for what is answered at once anyway */
  run(caller: Principal, body: RunQueryBody, options: DryRunOptions): Promise<DryRunBody> {
    return this.parts.work.run(async () => {
      const limits = await this.parts.catalog.tenants.limitsOf(caller.tenantId);
      const request = checkRequest(body, { format: 'json', limits });
      const key = { tenantId: caller.tenantId, id: newId('queryRun') };
      const { timeoutMs } = request;
      // It takes an engine process as a run does, and so a place among the tenant's.
      const query = this.parts.running.open(key, { timeoutMs, concurrencyMax: limits.queryConcurrencyMax });
      const abort = (): void => query.abort(toDomainError(options.disconnected.reason));
      options.disconnected.addEventListener('abort', abort, { once: true });
      try {
        return await this.describe(caller, { request, query, isPlanWanted: options.isPlanWanted });
      } catch (error) {
        throw query.signal.aborted ? toDomainError(query.signal.reason) : error;
      } finally {
        options.disconnected.removeEventListener('abort', abort);
        this.parts.running.close(query);
      }
    });
  }

  private async describe(
    caller: Principal,
    { request, query, isPlanWanted }: { request: QueryRequest; query: RunningQuery; isPlanWanted: boolean },
  ): Promise<DryRunBody> {
    const { planner, statements } = this.parts;
    const checked = await statements.check({ request, query });
    requireSelect(checked);
    const tables = await this.parts.tables.resolve(caller, checked.analyzed.tables);
    const { tenantId } = caller;
    const { sql } = checked;
    const statement = { tenantId, sql, params: request.params, tables, signal: query.signal };
    const columns = await planner.columnsOf({ ...statement, deadlineMs: query.remainingMs });
    const plan = isPlanWanted ? await planner.planOf({ ...statement, deadlineMs: query.remainingMs }) : undefined;
    return { ...columnFields(columns), ...amountOf(tables), ...(isPlanWanted && { plan }) };
  }
}

function requireSelect({ isKept }: CheckedStatement): void {
  if (isKept) return;
  throw new DomainError(
    'sql.not_allowed',
    'A dry run is of a SELECT: EXPLAIN, DESCRIBE, SUMMARIZE and SHOW TABLES are answered without dry_run.',
  );
}

function amountOf(tables: readonly InputTable[]): Pick<DryRunBody, 'inputs' | 'estimated_rows' | 'estimated_bytes'> {
  const inputs = tables.map((table) => ({
    ...presentInput(table),
    row_count: table.rowCount,
    size_bytes: sum(table.files.map((file) => file.sizeBytes)),
  }));
  return {
    inputs,
    estimated_rows: sum(inputs.map((input) => input.row_count)),
    estimated_bytes: sum(inputs.map((input) => input.size_bytes)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
