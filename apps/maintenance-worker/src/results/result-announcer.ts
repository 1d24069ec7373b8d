import type { Catalog, ResultKey } from '@millrace/catalog';
import type { EventBus, JobId, TenantId } from '@millrace/domain';
import { JOBS } from '@millrace/queue';
import { errorFields, type Logger } from '@millrace/telemetry';

export interface ResultAnnouncerParts {
  readonly catalog: Pick<Catalog, 'jobs' | 'results'>;
  readonly events: EventBus;
  readonly logger: Logger;
}

/**
 * Says `result.settled` to whoever waits for results, with the status the catalog has. That is a courtesy, since who
 * waits also looks: a word that can't be said is logged, and nothing here throws.
 */
export class ResultAnnouncer {
  constructor(private readonly parts: ResultAnnouncerParts) {}

  async announce({ tenantId, id }: ResultKey): Promise<void> {
    await this.orLog(async () => {
      const { status } = await this.parts.catalog.results.get(tenantId, id);
      if (status === 'processing') return;
      await this.parts.events.publish({ type: 'result.settled', tenantId, resultId: id, status });
    });
  }

  /** The result of a `result.persist` job that has ended; other jobs have none. */
  async announceOfJob({ tenantId, jobId }: { readonly tenantId: TenantId; readonly jobId: JobId }): Promise<void> {
    await this.orLog(async () => {
      const { kind, payload } = await this.parts.catalog.jobs.get(tenantId, jobId);
      if (kind !== 'result.persist') return;
      const { resultId } = JOBS[kind].payload.parse(payload);
      await this.announce({ tenantId, id: resultId });
    });
  }

  private async orLog(say: () => Promise<void>): Promise<void> {
    try {
      await say();
    } catch (error) {
      this.parts.logger.warn(errorFields(error), 'a result could not be announced');
    }
  }
}
