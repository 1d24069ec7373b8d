import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError } from '@millrace/domain';

/** Work that was aborted gets so long to end: an engine process that must be killed takes two seconds. */
const ABORT_GRACE_MS = 5_000;

/** What a service is doing at this moment, so that its end can wait for it. */
export class OpenWork {
  private readonly open = new Set<Promise<unknown>>();
  private readonly stop = new AbortController();
  private isClosed = false;

  /** Aborted when what still runs has to end. */
  get signal(): AbortSignal {
    return this.stop.signal;
  }

  /**
   * Runs work that a caller waits for.
   *
   * @throws DomainError `service.unavailable` once the service takes no more
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.isClosed) throw shuttingDown();
    return this.track(work());
  }

  /** Starts work that nobody waits for and that never throws: what follows from an answer, so it is always taken. */
  follow(work: () => Promise<void>): void {
    void this.track(work());
  }

  /** Takes no more work, lets what runs end for a while, then aborts it. */
  async close({ drainMs }: { drainMs: number }): Promise<void> {
    this.isClosed = true;
    await this.untilIdle(drainMs);
    this.stop.abort(shuttingDown());
    await this.untilIdle(ABORT_GRACE_MS);
  }

  private track<T>(work: Promise<T>): Promise<T> {
    this.open.add(work);
    const done = (): boolean => this.open.delete(work);
    void work.then(done, done);
    return work;
  }

  private async untilIdle(ms: number): Promise<void> {
    const timer = new AbortController();
    const late = sleep(ms, 'late' as const, { signal: timer.signal }).catch(() => 'late' as const);
    // Work that ends may have started some that follows from it.
    while (this.open.size > 0) {
      const outcome = await Promise.race([late, Promise.allSettled(this.open)]);
      if (outcome === 'late') return;
    }
    timer.abort();
  }
}

function shuttingDown(): DomainError {
  return new DomainError('service.unavailable', 'The service is shutting down. Try again in a moment.');
}
