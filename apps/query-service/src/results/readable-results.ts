import type { Catalog, Result } from '@millrace/catalog';
import { ownThings, type EventBus, type Principal, type ResultId } from '@millrace/domain';

/** Results for those who may read them. */
export class ReadableResults {
  constructor(private readonly parts: { readonly catalog: Catalog; readonly events: EventBus }) {}

  /** @throws DomainError `result.not_found` */
  get(caller: Principal, id: ResultId): Promise<Result> {
    return this.parts.catalog.results.get(caller.tenantId, id, ownThings(caller));
  }

  /** Notes of a ready result that its file is not in the store. */
  async markMissing({ tenantId, id: resultId }: Result): Promise<void> {
    const failed = await this.parts.catalog.results.markFileMissing({ tenantId, id: resultId });
    if (failed) await this.parts.events.publish({ type: 'result.settled', tenantId, resultId, status: 'failed' });
  }
}
