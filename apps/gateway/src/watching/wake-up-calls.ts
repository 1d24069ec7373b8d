import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import type { EventBus, JobId, QueryRunId } from '@millrace/domain';
import { EVENT_BUS } from '../tokens.js';

/** What tells of its end by an event. */
export type WatchedId = JobId | QueryRunId;

/** A sleep that an event ends. */
export interface WakeUpCall {
  readonly promise: Promise<void>;
  cancel(): void;
}

/** Wakes those who wait for something: at an event for it, after a while, and when the process is about to stop. */
@Injectable()
export class WakeUpCalls implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly sleepers = new Map<WatchedId, Set<() => void>>();
  private readonly unsubscribes: (() => void)[] = [];
  private closing = false;

  constructor(@Inject(EVENT_BUS) private readonly events: EventBus) {}

  /** Whether the process is about to stop: no answer may take longer than it has left. */
  get isClosing(): boolean {
    return this.closing;
  }

  async onModuleInit(): Promise<void> {
    this.unsubscribes.push(
      await this.events.subscribe('job.ended', ({ jobId }) => this.wake(jobId)),
      await this.events.subscribe('query.ended', ({ queryRunId }) => this.wake(queryRunId)),
    );
  }

  beforeApplicationShutdown(): void {
    this.closing = true;
    for (const id of this.sleepers.keys()) this.wake(id);
  }

  /** Until the server has closed, requests come here. */
  onApplicationShutdown(): void {
    for (const unsubscribe of this.unsubscribes) unsubscribe();
  }

  /** To be set up before looking, so that no event falls in between. */
  call(id: WatchedId, waitMs: number): WakeUpCall {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => cancel(), Math.max(0, this.closing ? 0 : waitMs));
    const waiting = this.sleepers.get(id) ?? new Set();
    const cancel = (): void => {
      clearTimeout(timer);
      waiting.delete(cancel);
      if (waiting.size === 0) this.sleepers.delete(id);
      resolve();
    };
    this.sleepers.set(id, waiting.add(cancel));
    return { promise, cancel };
  }

  private wake(id: WatchedId): void {
    this.sleepers.get(id)?.forEach((wake) => wake());
  }
}
