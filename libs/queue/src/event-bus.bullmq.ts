import { errorFields } from '@millrace/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DomainEvent, EventBus, EventOf, EventType } from '@millrace/domain';
import { domainEventSchema } from './domain-event-schema.js';
import { type Broadcast, openBroadcast } from './queue-backend.js';
import type { QueueLog } from './queue-log.js';

const TOPIC = 'events';
const PUBLISH_TIMEOUT_MS = 2_000;

export interface BullMqEventBusOptions {
  readonly databaseUrl: string;
  readonly logger: QueueLog;
}

/**
 * Events over BullMQ's relay: every process that has a bus gets every event, its own included. After a lost connection
 * the relay listens again by itself; what was published meanwhile may be lost.
 */
export class BullMqEventBus implements EventBus {
  readonly #broadcast: Broadcast;
  readonly #log: QueueLog;
  readonly #listeners = new Map<EventType, Set<(event: DomainEvent) => void>>();

  private constructor(broadcast: Broadcast, log: QueueLog) {
    this.#broadcast = broadcast;
    this.#log = log;
  }

  /** Throws when Postgres does not answer or `migrateQueue` has not run. */
  static async open({ databaseUrl, logger }: BullMqEventBusOptions): Promise<BullMqEventBus> {
    const broadcast = await openBroadcast(databaseUrl, logger);
    const bus = new BullMqEventBus(broadcast, logger);
    await broadcast.subscribe(TOPIC, (data) => {
      bus.#receive(data);
    });
    return bus;
  }

  async publish(event: DomainEvent): Promise<void> {
    const timer = new AbortController();
    try {
      const tooLong = sleep(PUBLISH_TIMEOUT_MS, undefined, { signal: timer.signal }).then(() => {
        throw new Error('no answer in time');
      });
      await Promise.race([this.#broadcast.publish(TOPIC, event), tooLong]);
    } catch (error) {
      this.#log.warn({ event: event.type, ...errorFields(error) }, 'an event was not sent');
    } finally {
      timer.abort();
    }
  }

  subscribe<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): () => void {
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

  /** Ends the subscription with the others; later events are not sent. */
  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#broadcast.close();
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
