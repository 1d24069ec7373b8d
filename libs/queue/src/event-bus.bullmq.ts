import { errorFields, type Registry } from '@millrace/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DomainEvent, DomainError, type EventBus, type EventOf, type EventType } from '@millrace/domain';
import { domainEventSchema } from './domain-event-schema.js';
import { EventMetrics } from './event-metrics.js';
import type { Broadcast } from './queue-backend.js';
import { queueBackendAt } from './queue-backend-at.js';
import type { QueueLocation } from './queue-location.js';
import type { QueueLog } from './queue-log.js';

const PUBLISH_TIMEOUT_MS = 2_000;

export interface BullMqEventBusOptions {
  readonly queueLocation: QueueLocation;
  readonly logger: QueueLog;
  /** Where what is sent is counted. */
  readonly metrics?: Registry | undefined;
}

/**
 * Events over BullMQ's relay, each type a topic: an event goes to every process that listens for its type, its own
 * included, and costs the others nothing. After a lost connection the relay listens again by itself; what was published
 * meanwhile may be lost.
 */
export class BullMqEventBus implements EventBus {
  readonly #broadcast: Broadcast;
  readonly #log: QueueLog;
  readonly #listeners = new Map<EventType, Set<(event: DomainEvent) => void>>();
  /** The types that the relay sends here, or will in a moment. */
  readonly #topics = new Map<EventType, Promise<void>>();

  private constructor(
    broadcast: Broadcast,
    log: QueueLog,
    private readonly metrics: EventMetrics | undefined,
  ) {
    this.#broadcast = broadcast;
    this.#log = log;
  }

  /** Throws when the queue's datastore does not answer or `migrateQueue` has not run. */
  static async open({ queueLocation, logger, metrics }: BullMqEventBusOptions): Promise<BullMqEventBus> {
    const broadcast = await queueBackendAt(queueLocation).openBroadcast(logger);
    return new BullMqEventBus(broadcast, logger, metrics && new EventMetrics(metrics));
  }

  async publish(event: DomainEvent): Promise<void> {
    const timer = new AbortController();
    try {
      const tooLong = sleep(PUBLISH_TIMEOUT_MS, undefined, { signal: timer.signal }).then(() => {
        throw new Error('no answer in time');
      });
      await Promise.race([this.#broadcast.publish(topicOf(event.type), event), tooLong]);
      this.metrics?.note(event.type, 'sent');
    } catch (error) {
      this.metrics?.note(event.type, 'failed');
      this.#log.warn({ event: event.type, ...errorFields(error) }, 'an event was not sent');
    } finally {
      timer.abort();
    }
  }

  async subscribe<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): Promise<() => void> {
    await this.#openTopic(type);
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners);
    const call = (event: DomainEvent): void => {
      listener(event as EventOf<T>);
    };
    listeners.add(call);
    return () => {
      listeners.delete(call);
    };
  }

  /**
   * Looks whether the queue is there.
   *
   * @throws DomainError `service.unavailable` with what its datastore said as the cause
   */
  async ping(): Promise<void> {
    try {
      await this.#broadcast.ping();
    } catch (cause) {
      throw new DomainError('service.unavailable', 'The queue does not answer.', { cause });
    }
  }

  /** Ends the subscription with the others; later events are not sent. */
  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#broadcast.close();
  }

  /** Once for each type; a topic that could not be opened is opened by the next who asks. */
  #openTopic(type: EventType): Promise<void> {
    const known = this.#topics.get(type);
    if (known) return known;
    const opened = this.#broadcast.subscribe(topicOf(type), (data) => this.#receive(data));
    this.#topics.set(type, opened);
    opened.catch(() => this.#topics.delete(type));
    return opened;
  }

  #receive(data: unknown): void {
    const parsed = domainEventSchema.safeParse(data);
    if (!parsed.success) return this.#log.warn({}, 'an event of an unknown form was dropped');
    for (const listener of this.#listeners.get(parsed.data.type) ?? []) this.#call(listener, parsed.data);
  }

  /** A listener that throws must not keep the event from the next one. */
  #call(listener: (event: DomainEvent) => void, event: DomainEvent): void {
    try {
      listener(event);
    } catch (error) {
      this.#log.error({ event: event.type, ...errorFields(error) }, 'a listener of events failed');
    }
  }
}

function topicOf(type: EventType): string {
  return `events.${type}`;
}
