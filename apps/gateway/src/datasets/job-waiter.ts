import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { Catalog } from '@millrace/catalog';
import { DomainError, isTerminal, jobLifecycle, type EventBus, type JobId, type TenantId } from '@millrace/domain';
import { EVENT_BUS } from '../tokens.js';

/** Events may be lost: this often a waiter looks for itself. */
const POLL_MS = 1_000;

/** Waits for the end of jobs, woken by events. */
@Injectable()
export class JobWaiter implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly sleepers = new Map<JobId, Set<() => void>>();
  private unsubscribe: () => void = () => undefined;
  private isClosing = false;

  constructor(
    private readonly catalog: Catalog,
    @Inject(EVENT_BUS) private readonly events: EventBus,
  ) {}

  async onModuleInit(): Promise<void> {
    this.unsubscribe = await this.events.subscribe('job.ended', ({ jobId }) =>
      this.sleepers.get(jobId)?.forEach((wake) => wake()),
    );
  }

  /** Whoever still waits is told how things stand: no answer may take longer than the process has left. */
  beforeApplicationShutdown(): void {
    this.isClosing = true;
    for (const waiting of this.sleepers.values()) for (const wake of waiting) wake();
  }

  /** Until the server has closed, requests come here. */
  onApplicationShutdown(): void {
    this.unsubscribe();
  }

  /** Whether a job has ended within some time. A job that is forgotten has ended, too. */
  async hasEnded(job: { readonly tenantId: TenantId; readonly jobId: JobId }, waitMs: number): Promise<boolean> {
    const deadline = Date.now() + waitMs;
    for (;;) {
      const woken = this.wakeUpCall(job.jobId, Math.min(POLL_MS, deadline - Date.now()));
      if (await this.isOver(job)) {
        woken.cancel();
        return true;
      }
      await woken.promise;
      if (this.isClosing || Date.now() >= deadline) return this.isOver(job);
    }
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

  /** Resolves at an event for the job or after some time; set up before looking, so that no event falls in between. */
  private wakeUpCall(jobId: JobId, waitMs: number): { promise: Promise<void>; cancel: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => cancel(), Math.max(0, waitMs));
    const waiting = this.sleepers.get(jobId) ?? new Set();
    const cancel = (): void => {
      clearTimeout(timer);
      waiting.delete(cancel);
      if (waiting.size === 0) this.sleepers.delete(jobId);
      resolve();
    };
    this.sleepers.set(jobId, waiting.add(cancel));
    return { promise, cancel };
  }
}
