import type { JobId, QueryRunId, ResultId, TenantId } from '../ids.js';
import type { JobStatus, ResultStatus } from '../lifecycle.js';

/**
 * What happened, told to every process that listens. Events are a wake-up call and may be lost: whoever waits for a
 * fact also looks into the catalog now and then.
 */
export type DomainEvent =
  | { readonly type: 'job.ended'; readonly tenantId: TenantId; readonly jobId: JobId; readonly status: JobStatus }
  | {
      readonly type: 'result.settled';
      readonly tenantId: TenantId;
      readonly resultId: ResultId;
      readonly status: ResultStatus;
    }
  /** Of a query whose caller was told to look later; nobody waits for the end of another. */
  | { readonly type: 'query.ended'; readonly tenantId: TenantId; readonly queryRunId: QueryRunId }
  | { readonly type: 'query.cancel_requested'; readonly tenantId: TenantId; readonly queryRunId: QueryRunId }
  | { readonly type: 'job.cancel_requested'; readonly tenantId: TenantId; readonly jobId: JobId };

export type EventType = DomainEvent['type'];
export type EventOf<T extends EventType> = Extract<DomainEvent, { type: T }>;

export interface EventBus {
  /** Tells everyone. Never throws: an event that can't be sent is logged and dropped. */
  publish(event: DomainEvent): Promise<void>;
  /**
   * Calls the listener for each event of a type that is published after this has resolved.
   *
   * @returns what ends that
   * @throws Error when events can't be heard at the moment
   */
  subscribe<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): Promise<() => void>;
}
