import { DomainError } from '@millrace/domain';
import type { EngineLogger } from './engine-options.js';
import type { EngineChild } from './engine-child.js';
import { loggedError } from './logged-error.js';

export interface ChildLaneOptions {
  readonly childrenMax: number;
  readonly queueMax: number;
  readonly tasksPerChildMax: number;
  readonly childAgeMaxMs: number;
  readonly logger: EngineLogger;
  /** Starts a fresh child. */
  readonly start: () => Promise<EngineChild>;
  /** Whether a child holds too much memory to go on. */
  readonly isSwollen: (child: EngineChild) => boolean;
}

interface Waiter {
  readonly tenantId: string;
  readonly resolve: (child: Promise<EngineChild>) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Children of one role: at most `childrenMax` that belong to a tenant, and one spare that belongs to nobody yet, forked
 * ahead. A caller gets an idle child of their tenant, else the spare; when there are too many, the child that has been
 * idle longest goes; when all are busy, callers wait in the order they came.
 */
export class ChildLane {
  private readonly busy = new Set<EngineChild>();
  /** The one idle longest first. */
  private idle: EngineChild[] = [];
  private readonly waiting: Waiter[] = [];
  private readonly disposals = new Set<Promise<void>>();
  private spare: Promise<EngineChild> | undefined;
  private startingCount = 0;
  private isClosed = false;

  constructor(private readonly options: ChildLaneOptions) {
    this.refill();
  }

  get counts(): { busy: number; idle: number; waiting: number } {
    return { busy: this.busy.size + this.startingCount, idle: this.idle.length, waiting: this.waiting.length };
  }

  /**
   * A child for one task; `release` must follow.
   *
   * @throws DomainError `query.too_many` when too many wait already; `service.unavailable` when the lane closes;
   *   the signal's reason when that comes first
   */
  async acquire(tenantId: string, signal: AbortSignal): Promise<EngineChild> {
    if (this.isClosed) throw closedError();
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<EngineChild>();
    const waiter: Waiter = { tenantId, resolve, reject };
    this.waiting.push(waiter);
    this.pump();
    if (this.waiting.length > this.options.queueMax && this.leave(waiter)) {
      throw new DomainError('query.too_many', 'Too many statements wait for their turn. Try again in a moment.');
    }
    const onAbort = (): void => {
      if (this.leave(waiter)) reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    return promise.finally(() => signal.removeEventListener('abort', onAbort));
  }

  /** Gives a child back; one that may not go on is replaced. */
  release(child: EngineChild): void {
    this.busy.delete(child);
    if (this.isClosed || !this.isReusable(child)) this.discard(child);
    else this.idle.push(child);
    this.pump();
  }

  /** Takes no more callers and waits, at most the grace, for those that have a child; then ends all children. */
  async close(graceMs: number): Promise<void> {
    this.isClosed = true;
    for (const waiter of this.waiting.splice(0)) waiter.reject(closedError());
    const until = performance.now() + graceMs;
    while (this.busy.size + this.startingCount > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const child of [...this.busy, ...this.idle.splice(0)]) this.discard(child);
    await this.spare?.then((child) => child.dispose()).catch(() => undefined);
    await Promise.all(this.disposals);
  }

  private pump(): void {
    for (let waiter = this.waiting[0]; waiter; waiter = this.waiting[0]) {
      const child = this.takeIdle(waiter.tenantId);
      if (child) {
        this.busy.add(child);
        this.waiting.shift();
        waiter.resolve(Promise.resolve(child));
      } else if (this.makeRoom()) {
        this.waiting.shift();
        waiter.resolve(this.takeSpare(waiter.tenantId));
      } else return;
    }
  }

  private takeIdle(tenantId: string): EngineChild | undefined {
    for (const child of this.idle.filter((candidate) => candidate.tenantId === tenantId)) {
      this.idle = this.idle.filter((candidate) => candidate !== child);
      if (this.isReusable(child)) return child;
      this.discard(child);
    }
    return undefined;
  }

  private makeRoom(): boolean {
    const isFull = (): boolean => this.busy.size + this.startingCount + this.idle.length >= this.options.childrenMax;
    if (!isFull()) return true;
    const oldest = this.idle.shift();
    if (oldest) this.discard(oldest);
    return !isFull();
  }

  private async takeSpare(tenantId: string): Promise<EngineChild> {
    this.startingCount += 1;
    try {
      const child = await this.nextFresh();
      child.tenantId = tenantId;
      this.busy.add(child);
      void child.whenEnded().then(() => this.onEnded(child));
      return child;
    } catch (cause) {
      throw new DomainError('service.unavailable', 'No engine process could be started.', { cause });
    } finally {
      this.startingCount -= 1;
    }
  }

  /** The spare, or a new child when the spare did not start or has ended meanwhile. */
  private async nextFresh(): Promise<EngineChild> {
    const spare = await this.spareTaken().catch(() => undefined);
    if (spare?.isAlive) return spare;
    if (spare) this.discard(spare);
    return this.options.start();
  }

  private spareTaken(): Promise<EngineChild> {
    const spare = this.spare ?? this.options.start();
    this.spare = undefined;
    // The next spare is forked when this one is there, so that they don't compete for the processor.
    void spare.then(
      () => this.refill(),
      () => this.refill(),
    );
    return spare;
  }

  private refill(): void {
    if (this.isClosed || this.spare || this.options.childrenMax === 0) return;
    const spare = this.options.start();
    this.spare = spare;
    spare.catch((error: unknown) => {
      this.options.logger.error(loggedError(error), 'an engine process could not be started ahead');
      if (this.spare === spare) this.spare = undefined;
    });
  }

  /** A child that ends while it is idle frees its place; a busy one is released by its task. */
  private onEnded(child: EngineChild): void {
    if (!this.idle.includes(child)) return;
    const { tenantId, pid, breach, lastWords } = child;
    this.options.logger.warn(
      { tenantId, pid, breach, lastWords },
      'an engine process ended while it had nothing to do',
    );
    this.idle = this.idle.filter((candidate) => candidate !== child);
    this.discard(child);
    this.pump();
  }

  private isReusable(child: EngineChild): boolean {
    return (
      child.isAlive &&
      child.fault === undefined &&
      child.tasksDone < this.options.tasksPerChildMax &&
      performance.now() - child.bornAt < this.options.childAgeMaxMs &&
      !this.options.isSwollen(child)
    );
  }

  private discard(child: EngineChild): void {
    const disposal = child.dispose().catch((error: unknown) => {
      this.options.logger.error(loggedError(error), 'an engine process could not be cleaned up');
    });
    this.disposals.add(disposal);
    void disposal.then(() => this.disposals.delete(disposal));
  }

  private leave(waiter: Waiter): boolean {
    const index = this.waiting.indexOf(waiter);
    if (index >= 0) this.waiting.splice(index, 1);
    return index >= 0;
  }
}

function closedError(): DomainError {
  return new DomainError('service.unavailable', 'The service is shutting down.');
}
