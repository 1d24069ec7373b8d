import { DomainError } from '@millrace/domain';
import { ChildStartError } from './child-start-error.js';
import type { EngineLogger } from './engine-options.js';
import type { EngineChild } from './engine-child.js';
import type { TaskFault } from './fault-error.js';
import { loggedError } from './logged-error.js';
import { WaitingLine } from './waiting-line.js';

export interface ChildLaneOptions {
  /** At work at one time. */
  readonly childrenMax: number;
  /** At work and idle; as many as that belong to a tenant. */
  readonly childrenKeptMax: number;
  readonly childrenPerTenantMax: number;
  readonly queueMax: number;
  readonly queuePerTenantMax: number;
  readonly tasksPerChildMax: number;
  readonly childAgeMaxMs: number;
  readonly inputsKeptMs: number;
  readonly logger: EngineLogger;
  /** Starts a fresh child. */
  readonly start: () => Promise<EngineChild>;
  /** Whether a child without a task holds so much memory that it counts among those at work. */
  readonly isHeavy: (child: EngineChild) => boolean;
  /** Whether a child holds too much memory to go on. */
  readonly isSwollen: (child: EngineChild) => boolean;
}

/** Children with a tenant, and callers without a child. */
export interface LaneCounts {
  readonly busy: number;
  readonly idle: number;
  readonly waiting: number;
}

/**
 * Why a child was ended: by its last task; it had gone by itself; for its tasks, its age, or the memory that it kept; for
 * the room that another needed; with the pool.
 */
export type ChildEnd = TaskFault | 'gone' | 'tasks' | 'age' | 'swollen' | 'room' | 'closed';

export interface LaneState extends LaneCounts {
  readonly startsTotal: number;
  readonly endsTotal: ReadonlyMap<ChildEnd, number>;
}

interface Waiter {
  readonly tenantId: string;
  readonly resolve: (child: Promise<EngineChild>) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Children of one role, each of one tenant for its whole life, and one spare that belongs to nobody yet, forked ahead. A
 * caller gets an idle child of their tenant, else the spare; when there are too many, the child that has been
 * idle longest goes. A tenant never has more than its part of the children. Callers that wait are served by tenant: the
 * one with the fewest children first, and among equals in turn.
 */
export class ChildLane {
  /** Each child that has a task, with the tenant whose task it is. */
  private readonly busy = new Map<EngineChild, string>();
  /** The tenants for whom a child is on its way. */
  private readonly starting: string[] = [];
  /** The one idle longest first. */
  private idle: EngineChild[] = [];
  private readonly waiting = new WaitingLine<Waiter>();
  private readonly disposals = new Set<Promise<void>>();
  private spare: Promise<EngineChild> | undefined;
  private isClosed = false;
  private startsTotal = 0;
  private readonly endsTotal = new Map<ChildEnd, number>();

  constructor(private readonly options: ChildLaneOptions) {
    this.refill();
  }

  get counts(): LaneCounts {
    return { busy: this.takenCount, idle: this.idle.length, waiting: this.waiting.length };
  }

  get state(): LaneState {
    return { ...this.counts, startsTotal: this.startsTotal, endsTotal: this.endsTotal };
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
    this.waiting.join(waiter);
    this.pump();
    const crowd = this.crowdError(tenantId);
    if (crowd && this.waiting.leave(waiter)) throw crowd;
    const onAbort = (): void => {
      if (this.waiting.leave(waiter)) reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    return promise.finally(() => signal.removeEventListener('abort', onAbort));
  }

  /** Gives a child back; one that may not go on is replaced. */
  release(child: EngineChild): void {
    this.busy.delete(child);
    const end = this.isClosed ? 'closed' : this.endOf(child);
    if (end) this.discard(child, end);
    else this.rest(child);
    this.pump();
  }

  /** Takes no more callers and waits, at most the grace, for those that have a child; then ends all children. */
  async close(graceMs: number): Promise<void> {
    this.isClosed = true;
    for (const waiter of this.waiting.clear()) waiter.reject(closedError());
    const until = performance.now() + graceMs;
    while (this.takenCount > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const child of [...this.busy.keys(), ...this.idle.splice(0)]) this.discard(child, 'closed');
    await this.spare?.then((child) => child.dispose()).catch(() => undefined);
    await Promise.all(this.disposals);
  }

  private get takenCount(): number {
    return this.busy.size + this.starting.length;
  }

  private pump(): void {
    for (let waiter = this.nextWaiter(); waiter; waiter = this.nextWaiter()) {
      const child = this.takeIdle(waiter.tenantId);
      this.makeRoom();
      if (child) {
        this.busy.set(child, waiter.tenantId);
        waiter.resolve(Promise.resolve(child));
      } else {
        waiter.resolve(this.takeSpare(waiter.tenantId));
      }
    }
  }

  /** Undefined when all children are busy, or those who wait have their part of them. */
  private nextWaiter(): Waiter | undefined {
    const { childrenMax, childrenPerTenantMax } = this.options;
    if (this.takenCount >= childrenMax) return undefined;
    return this.waiting.take((tenantId) => {
      const taken = this.takenBy(tenantId);
      return taken < childrenPerTenantMax ? taken : Number.POSITIVE_INFINITY;
    });
  }

  private takenBy(tenantId: string): number {
    return [...this.busy.values(), ...this.starting].filter((each) => each === tenantId).length;
  }

  private crowdError(tenantId: string): DomainError | undefined {
    const { queueMax, queuePerTenantMax } = this.options;
    const ofTenant = this.waiting.lengthOf(tenantId);
    if (ofTenant > queuePerTenantMax) return tooMany(`${queuePerTenantMax} statements or pages of yours`);
    return this.waiting.length > queueMax ? tooMany('Too many statements and pages, of all tenants,') : undefined;
  }

  private takeIdle(tenantId: string): EngineChild | undefined {
    for (const child of this.idle.filter((candidate) => candidate.tenantId === tenantId)) {
      this.idle = this.idle.filter((candidate) => candidate !== child);
      child.wake();
      const end = this.endOf(child);
      if (!end) return child;
      this.discard(child, end);
    }
    return undefined;
  }

  private rest(child: EngineChild): void {
    this.idle.push(child);
    child.rest(this.options.inputsKeptMs);
  }

  /** For one more at work: the one that has been idle longest goes, of those with much memory first. */
  private makeRoom(): void {
    const { childrenMax, childrenKeptMax, isHeavy } = this.options;
    const atWork = this.takenCount + 1;
    const heavy = this.idle.filter((child) => isHeavy(child));
    if (atWork + heavy.length > childrenMax) this.discardIdle(heavy[0]);
    if (atWork + this.idle.length > childrenKeptMax) this.discardIdle(this.idle[0]);
  }

  private discardIdle(child: EngineChild | undefined): void {
    if (!child) return;
    this.idle = this.idle.filter((candidate) => candidate !== child);
    this.discard(child, 'room');
  }

  private async takeSpare(tenantId: string): Promise<EngineChild> {
    this.starting.push(tenantId);
    try {
      const child = await this.nextFresh();
      child.tenantId = tenantId;
      this.busy.set(child, tenantId);
      void child.whenEnded().then(() => this.onEnded(child));
      return child;
    } catch (cause) {
      throw new DomainError('service.unavailable', 'No engine process could be started.', { cause });
    } finally {
      this.starting.splice(this.starting.indexOf(tenantId), 1);
      // The place of one that did not start is free again.
      this.pump();
    }
  }

  /** The spare, or a new child when the spare did not start or has ended meanwhile. */
  private async nextFresh(): Promise<EngineChild> {
    const spare = await this.spareTaken().catch(() => undefined);
    if (spare?.isAlive) return spare;
    if (spare) this.discard(spare, 'gone');
    // One that ended may have been killed; what lets none start comes back at once.
    return this.start().catch((error: unknown) => {
      if (error instanceof ChildStartError && error.outcome === 'ended') return this.start();
      throw error;
    });
  }

  private async start(): Promise<EngineChild> {
    const child = await this.options.start();
    this.startsTotal += 1;
    return child;
  }

  private spareTaken(): Promise<EngineChild> {
    const spare = this.spare ?? this.start();
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
    const spare = this.start();
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
    this.discard(child, 'gone');
    this.pump();
  }

  /** Why a child may not go on; undefined when it may. */
  private endOf(child: EngineChild): ChildEnd | undefined {
    const { tasksPerChildMax, childAgeMaxMs, isSwollen } = this.options;
    if (child.fault !== undefined) return child.fault;
    if (!child.isAlive) return 'gone';
    if (child.tasksDone >= tasksPerChildMax) return 'tasks';
    if (performance.now() - child.bornAt >= childAgeMaxMs) return 'age';
    return isSwollen(child) ? 'swollen' : undefined;
  }

  private discard(child: EngineChild, end: ChildEnd): void {
    this.endsTotal.set(end, (this.endsTotal.get(end) ?? 0) + 1);
    const disposal = child.dispose().catch((error: unknown) => {
      this.options.logger.error(loggedError(error), 'an engine process could not be cleaned up');
    });
    this.disposals.add(disposal);
    void disposal.then(() => this.disposals.delete(disposal));
  }
}

function tooMany(who: string): DomainError {
  return new DomainError('query.too_many', `${who} wait for an engine process already. Try again in a moment.`);
}

function closedError(): DomainError {
  return new DomainError('service.unavailable', 'The service is shutting down.');
}
