import { queryRunLost, type QueryProgress, type QueryRunKey, type QueryRunRepository } from '@millrace/catalog';
import { DomainError, type QueryRunId, type TenantId } from '@millrace/domain';
import { errorFields, type Logger } from '@millrace/telemetry';
import type { InputFiles } from '../inputs/input-files.js';
import { RunningQuery } from './running-query.js';

/** A lease is extended this many times before it would end, so that two lost heartbeats do no harm. */
const HEARTBEATS_PER_LEASE = 3;

/** How far a statement is, is of interest for those that take longer than this. */
const PROGRESS_EVERY_MS = 1_000;

export interface RunningQueriesParts {
  readonly queryRuns: QueryRunRepository;
  readonly inputs: InputFiles;
  readonly leaseMs: number;
  readonly logger: Logger;
}

/** The queries of this service, what they hold alive, and the ways to end them. */
export class RunningQueries {
  private readonly queries = new Map<QueryRunId, RunningQuery>();
  private timer: NodeJS.Timeout | undefined;
  private isBeating = false;
  private progressTimer: NodeJS.Timeout | undefined;
  /** What has changed since it was written last. */
  private readonly progress = new Map<QueryRunId, QueryProgress>();

  constructor(private readonly parts: RunningQueriesParts) {}

  get count(): number {
    return this.queries.size;
  }

  /**
   * Notes a query; `close` must follow.
   *
   * @throws DomainError `query.too_many` when as many of the tenant run here
   */
  open(key: QueryRunKey, limits: { timeoutMs: number; concurrencyMax: number }): RunningQuery {
    const ofTenant = [...this.queries.values()].filter((query) => query.key.tenantId === key.tenantId);
    if (ofTenant.length >= limits.concurrencyMax) throw tooManyQueries(limits.concurrencyMax);
    const onProgress = (fraction: number): void => void this.progress.set(key.id, { ...key, fraction });
    const query = new RunningQuery(key, { timeoutMs: limits.timeoutMs, onProgress });
    this.queries.set(key.id, query);
    return query;
  }

  close(query: RunningQuery): void {
    query.settle();
    this.queries.delete(query.key.id);
    this.progress.delete(query.key.id);
  }

  /** Ends a query at somebody's wish, if it runs here. */
  cancel(tenantId: TenantId, id: QueryRunId): void {
    const query = this.queries.get(id);
    if (query?.key.tenantId === tenantId) query.abort(new DomainError('query.cancelled', 'The query was cancelled.'));
  }

  abortAll(reason: DomainError): void {
    for (const query of this.queries.values()) query.abort(reason);
  }

  startBeating(): void {
    this.timer = setInterval(() => void this.beat(), this.parts.leaseMs / HEARTBEATS_PER_LEASE);
    this.progressTimer = setInterval(() => void this.writeProgress(), PROGRESS_EVERY_MS);
  }

  stopBeating(): void {
    clearInterval(this.timer);
    clearInterval(this.progressTimer);
  }

  /** One heartbeat; one that fails is made up for by the next. */
  private async beat(): Promise<void> {
    if (this.isBeating) return;
    this.isBeating = true;
    try {
      await this.extendLeases();
      await this.parts.inputs.extendPins();
    } catch (error) {
      this.parts.logger.warn(errorFields(error), 'the leases of queries could not be extended');
    } finally {
      this.isBeating = false;
    }
  }

  /** What is not written now is, a second later, or is over. */
  private async writeProgress(): Promise<void> {
    const changed = [...this.progress.values()];
    this.progress.clear();
    if (changed.length === 0) return;
    await this.parts.queryRuns.noteProgress(changed).catch((error: unknown) => {
      this.parts.logger.warn(errorFields(error), 'the progress of queries could not be written');
    });
  }

  private async extendLeases(): Promise<void> {
    const recorded = [...this.queries.values()].filter((query) => query.isRecorded);
    if (recorded.length === 0) return;
    const { queryRuns, leaseMs } = this.parts;
    const keys = recorded.map((query) => query.key);
    const { cancelRequested, lost } = await queryRuns.extendLeases(keys, { leaseMs });
    for (const { key } of recorded.filter((query) => cancelRequested.includes(query.key.id))) {
      this.cancel(key.tenantId, key.id);
    }
    for (const query of recorded.filter((each) => lost.includes(each.key.id))) query.abort(queryRunLost());
  }
}

export function tooManyQueries(concurrencyMax: number): DomainError {
  const many = concurrencyMax === 1 ? 'one query' : `${concurrencyMax} queries`;
  return new DomainError('query.too_many', `At most ${many} can run at once. Wait until one has ended.`);
}
