import type { ResultKey, ResultRepository } from '@millrace/catalog';
import { DomainError } from '@millrace/domain';
import { errorFields, type Logger } from '@millrace/telemetry';

/** A lease is extended this many times before it would end, so that two lost heartbeats do no harm. */
const HEARTBEATS_PER_LEASE = 3;

/** Says of a result, while its file is on its way into the store, that somebody looks after it. */
export class ResultLease {
  private readonly lost = new AbortController();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly results: ResultRepository,
    private readonly key: ResultKey,
    private readonly options: { readonly leaseMs: number; readonly logger: Logger },
  ) {
    this.timer = setInterval(() => void this.extend(), options.leaseMs / HEARTBEATS_PER_LEASE);
  }

  /** Aborted when the result counts as failed already. */
  get signal(): AbortSignal {
    return this.lost.signal;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async extend(): Promise<void> {
    const { leaseMs, logger } = this.options;
    try {
      if (await this.results.extendLease(this.key, { leaseMs })) return;
      this.lost.abort(new DomainError('result.lost', 'The result was lost before it was stored.'));
    } catch (error) {
      logger.warn({ ...errorFields(error), resultId: this.key.id }, 'the lease of a result could not be extended');
    }
  }
}
