import type { QueueName } from './job-catalog.js';
import type { QueueEntry, QueueSender } from './queue-backend.js';

/** What is used of BullMQ's queue, on whatever datastore. */
export interface BullMqQueue {
  addBulk(entries: QueueEntry[]): Promise<unknown>;
  getJobState(id: string): Promise<string>;
  close(): Promise<void>;
}

/** States in which nobody gets the message any more. */
const UNDELIVERABLE: readonly string[] = ['unknown', 'completed', 'failed'];

/** Sends through BullMQ's queues; `end` lets their connection go. */
export class BullMqSender implements QueueSender {
  constructor(
    private readonly queues: ReadonlyMap<QueueName, BullMqQueue>,
    private readonly end: () => Promise<void>,
  ) {}

  async addBulk(name: QueueName, entries: readonly QueueEntry[]): Promise<void> {
    await this.queues.get(name)?.addBulk(entries.map((entry) => ({ ...entry })));
  }

  async findUndeliverable(name: QueueName, messageIds: readonly string[]): Promise<ReadonlySet<string>> {
    // Asked at once: they share the connection, which sends them on without waiting for answers.
    const states = await Promise.all(messageIds.map(async (id) => this.queues.get(name)?.getJobState(id)));
    return new Set(messageIds.filter((_, index) => UNDELIVERABLE.includes(states[index] ?? 'unknown')));
  }

  async close(): Promise<void> {
    await Promise.all([...this.queues.values()].map((queue) => queue.close()));
    await this.end();
  }
}
