import { Injectable } from '@nestjs/common';
import { Catalog } from '@millrace/catalog';
import { DomainError, isTerminal, jobLifecycle, type JobId, type TenantId } from '@millrace/domain';
import { looks } from '../watching/looks.js';
import { WakeUpCalls } from '../watching/wake-up-calls.js';

/** Waits for the end of jobs. */
@Injectable()
export class JobWaiter {
  constructor(
    private readonly catalog: Catalog,
    private readonly calls: WakeUpCalls,
  ) {}

  /** Whether a job has ended within some time, and before the process is about to stop. One that is forgotten has ended. */
  async hasEnded(job: { readonly tenantId: TenantId; readonly jobId: JobId }, waitMs: number): Promise<boolean> {
    const request = { id: job.jobId, read: () => this.isOver(job), forMs: waitMs };
    for await (const isOver of looks(this.calls, request)) if (isOver) return true;
    return false;
  }

  private async isOver({ tenantId, jobId }: { readonly tenantId: TenantId; readonly jobId: JobId }): Promise<boolean> {
    try {
      const job = await this.catalog.jobs.get(tenantId, jobId);
      return isTerminal(jobLifecycle, job.status);
    } catch (error) {
      if (error instanceof DomainError && error.code === 'job.not_found') return true;
      throw error;
    }
  }
}
