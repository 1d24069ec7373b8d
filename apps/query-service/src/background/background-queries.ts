import { rm } from 'node:fs/promises';
import type { BackgroundRun, Catalog } from '@millrace/catalog';
import { runQuerySchema } from '@millrace/contract';
import {
  DomainError,
  newId,
  toDomainError,
  type JobFence,
  type TenantLimits,
  type WrittenBlob,
} from '@millrace/domain';
import type { QueryResult } from '@millrace/engine';
import { describeJob, type JobContext } from '@millrace/queue';
import type { InputTable } from '../inputs/table-resolver.js';
import { inputOf } from '../queries/query-history.js';
import type { QueryRequest } from '../queries/query-request.js';
import { RunningQuery } from '../queries/running-query.js';
import type { StatementRunner } from '../queries/statement-runner.js';
import type { FileCommit, ResultFile, ResultWriter } from '../results/result-writer.js';

/** Where the statement itself stands on the way from 0 to 1; the rest is the way of its file into the store. */
const EXECUTED = 0.95;

export interface BackgroundQueriesParts {
  readonly catalog: Catalog;
  /** Runs statements in engine processes that no caller waits for. */
  readonly statements: StatementRunner;
  readonly writer: ResultWriter;
  readonly leaseMs: number;
  readonly retentionMs: number;
}

/**
 * Runs statements as jobs. A query succeeds when its rows are in the store, since nobody has them before; whatever happens
 * until then, another attempt may begin anew, because a statement changes nothing.
 */
export class BackgroundQueries {
  constructor(private readonly parts: BackgroundQueriesParts) {}

  /**
   * @throws DomainError whatever is wrong with the statement or its run; `storage.*`, `service.unavailable`; `job.lost` when
   * the attempt is not the current one; the signal's reason
   */
  async run({ fence, signal, progress }: JobContext): Promise<void> {
    const { catalog } = this.parts;
    const [background, limits] = await Promise.all([
      catalog.backgroundRuns.get(fence),
      catalog.tenants.limitsOf(fence.tenantId),
    ]);
    const { tenantId, id, timeoutMs } = background.run;
    const query = new RunningQuery(
      { tenantId, id },
      {
        timeoutMs,
        holder: `${id}-${fence.attempt}`,
        onProgress: (fraction) => progress(EXECUTED * fraction),
      },
    );
    const result = await this.execute(background, { query, limits, fence, signal });
    await this.store(background, { result, fence, signal });
  }

  private async execute(
    { run, role }: BackgroundRun,
    {
      query,
      limits,
      fence,
      signal,
    }: { query: RunningQuery; limits: TenantLimits; fence: JobFence; signal: AbortSignal },
  ): Promise<QueryResult> {
    const abort = (): void => query.abort(toDomainError(signal.reason));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      const { tenantId, userId } = run;
      const request = requestOf(run, limits);
      const { statements } = this.parts;
      const checked = await statements.check({ request, query });
      const noteStart = (tables: readonly InputTable[]): Promise<void> =>
        this.parts.catalog.backgroundRuns.start(fence, { inputs: tables.map(inputOf) });
      const { result } = await statements.run(
        { caller: { tenantId, userId, role }, request, query, noteStart },
        checked,
      );
      if ('filePath' in result) return result;
      throw new DomainError(
        'sql.not_allowed',
        'This statement leaves no rows to keep: it can not run in the background.',
      );
    } catch (error) {
      // An aborted statement may throw anything on its way out: why it was aborted is what counts.
      throw query.signal.aborted ? query.signal.reason : error;
    } finally {
      query.settle();
      signal.removeEventListener('abort', abort);
    }
  }

  private async store(
    { run }: BackgroundRun,
    { result, fence, signal }: { result: QueryResult; fence: JobFence; signal: AbortSignal },
  ): Promise<void> {
    const { filePath: path, sizeBytes } = result;
    const file = { tenantId: run.tenantId, resultId: newId('result'), path, sizeBytes };
    try {
      await this.parts.writer.writeWith(this.commitOf(run.id, { file, result, fence }), file, signal);
    } finally {
      await rm(path, { force: true });
    }
  }

  private commitOf(
    runId: BackgroundRun['run']['id'],
    { file, result, fence }: { file: ResultFile; result: QueryResult; fence: JobFence },
  ): FileCommit {
    const { catalog, leaseMs, retentionMs: expiresInMs } = this.parts;
    const { tenantId, resultId } = file;
    const { columns, rowCount } = result;
    return {
      run: async (blob: WrittenBlob) => {
        const job = { id: newId('job'), ...describeJob('result.persist', { resultId }) };
        const rows = { resultId, columns, rowCount, blob, job, leaseMs, expiresInMs };
        await catalog.backgroundRuns.succeed(fence, rows);
      },
      isDone: async () => {
        const run = await catalog.queryRuns.get(tenantId, runId).catch(() => undefined);
        return run?.resultId === resultId;
      },
    };
  }
}

/** No row of it is answered: they are read from the result. */
function requestOf({ sql, params, paramTypes, timeoutMs }: BackgroundRun['run'], limits: TenantLimits): QueryRequest {
  return {
    sql,
    params: runQuerySchema.shape.params.parse(params ?? undefined),
    paramTypes: paramTypes ?? undefined,
    timeoutMs,
    reuse: 'never',
    format: 'json',
    tableRowsMax: undefined,
    rowsMax: 0,
    answerBytesMax: limits.inlineAnswerBytesMax,
    resultBytesMax: limits.resultBytesMax,
  };
}
