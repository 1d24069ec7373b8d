import type { BlobRepository } from '@millrace/catalog';
import { type BlobKey, type ObjectStore, toDomainError } from '@millrace/domain';
import type { MaintenanceMetrics } from '../maintenance-metrics.js';

/** Blobs of one batch: even if each deletion takes its longest, the batch ends before another sweeper may take it over. */
const BATCH_BLOBS = 32;
const DELETIONS_AT_ONCE = 8;
const DELETION_TIMEOUT_MS = 10_000;

export interface BlobSweeperParts {
  readonly blobs: Pick<BlobRepository, 'takeDue' | 'removed' | 'deferDeletion'>;
  readonly store: ObjectStore;
  readonly metrics: MaintenanceMetrics;
}

/** Deletes the bytes that nothing refers to. The register forgets a key after its object is gone, never before. */
export class BlobSweeper {
  constructor(private readonly parts: BlobSweeperParts) {}

  /**
   * Deletes one batch. A deletion that fails is noted in the register and comes again later.
   *
   * @returns how many blobs were due
   * @throws what the register throws; the last failure, when no deletion of the batch worked
   */
  async sweepBatch(signal: AbortSignal): Promise<number> {
    const due = await this.parts.blobs.takeDue({ limit: BATCH_BLOBS });
    const waiting = [...due];
    const failures: unknown[] = [];
    const lane = async (): Promise<void> => {
      for (let key = waiting.shift(); key; key = waiting.shift()) {
        const failure = await this.delete(key, signal);
        if (failure !== undefined) failures.push(failure);
      }
    };
    await Promise.all(Array.from({ length: DELETIONS_AT_ONCE }, lane));
    // Most likely the store is away: the other blobs would fail, too, and each would wait the longer for it.
    if (due.length > 0 && failures.length === due.length) throw failures.at(-1);
    return due.length;
  }

  /** Gives the error when the object could not be deleted. */
  private async delete(key: BlobKey, signal: AbortSignal): Promise<unknown> {
    const { store, blobs, metrics } = this.parts;
    try {
      const timeout = AbortSignal.timeout(DELETION_TIMEOUT_MS);
      await store.delete(key.storageKey, { signal: AbortSignal.any([signal, timeout]) });
    } catch (error) {
      metrics.deletionFailures.inc();
      await blobs.deferDeletion(key, toDomainError(error).code);
      return error;
    }
    await blobs.removed(key);
    metrics.deletions.inc();
    return undefined;
  }
}
