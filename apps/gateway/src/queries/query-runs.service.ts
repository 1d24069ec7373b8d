import { Injectable } from '@nestjs/common';
import { Catalog, type QueryRun } from '@millrace/catalog';
import type { QueryRunBody } from '@millrace/contract';
import { isTerminal, ownThings, queryRunLifecycle, type Principal, type QueryRunId } from '@millrace/domain';
import type { Watched } from '../watching/event-streams.js';
import { looks } from '../watching/looks.js';
import { WakeUpCalls } from '../watching/wake-up-calls.js';
import { presentQueryRun } from './query-run.presenter.js';

/** Query runs as their owners see them, while they change. */
@Injectable()
export class QueryRunsService {
  constructor(
    private readonly catalog: Catalog,
    private readonly calls: WakeUpCalls,
  ) {}

  /**
   * A run; if it has not ended, as it is when its status has changed, or the wait is over.
   *
   * @throws DomainError `query.not_found`
   */
  async get(caller: Principal, id: QueryRunId, { waitMs }: { readonly waitMs: number }): Promise<QueryRunBody> {
    const run = await this.find(caller, id);
    const first = await this.present(run);
    if (waitMs === 0) return first;
    const { read, hasEnded, id: watchedId } = this.watchedOf(caller, run);
    let last = first;
    for await (last of looks(this.calls, { id: watchedId, read, forMs: waitMs })) {
      if (hasEnded(last) || last.status !== first.status) break;
    }
    return last;
  }

  /** @throws DomainError `query.not_found` */
  async watch(caller: Principal, id: QueryRunId): Promise<Watched<QueryRunBody>> {
    return this.watchedOf(caller, await this.find(caller, id));
  }

  private find(caller: Principal, id: QueryRunId): Promise<QueryRun> {
    return this.catalog.queryRuns.get(caller.tenantId, id, ownThings(caller));
  }

  private watchedOf(caller: Principal, { tenantId, id, jobId }: QueryRun): Watched<QueryRunBody> {
    return {
      tenantId,
      id: jobId ?? id,
      read: async () => this.present(await this.find(caller, id)),
      hasEnded: ({ status }) => isTerminal(queryRunLifecycle, status),
    };
  }

  /** With the place of its job in the queue, and how far that is. */
  private async present(run: QueryRun): Promise<QueryRunBody> {
    if (run.jobId === null || isTerminal(queryRunLifecycle, run.status)) return presentQueryRun(run);
    return presentQueryRun(run, await this.catalog.jobs.get(run.tenantId, run.jobId));
  }
}
