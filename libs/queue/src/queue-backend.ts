import type { QueueName } from './job-catalog.js';
import type { QueueLog } from './queue-log.js';

/** The datastore that BullMQ runs on. Nothing else knows which one it is. */
export interface QueueBackend {
  /** Brings what the datastore needs up to date; safe to call from several processes at once. */
  migrate(): Promise<void>;
  /** Opens the sending side; throws when the datastore does not answer or `migrate` has not run. */
  openSender(names: readonly QueueName[], log: QueueLog): Promise<QueueSender>;
  /** Opens the receiving side of one queue; throws when the datastore does not answer or `migrate` has not run. */
  openReceiver(options: ReceiverOptions): Promise<QueueReceiver>;
  /** Opens a node of the relay; throws when the datastore does not answer or `migrate` has not run. */
  openBroadcast(log: QueueLog): Promise<Broadcast>;
}

/** One entry for `addBulk`. */
export interface QueueEntry {
  readonly name: string;
  readonly data: object;
  readonly opts: {
    readonly jobId: string;
    readonly attempts: number;
    readonly removeOnComplete: { readonly age: number };
    readonly removeOnFail: { readonly age: number };
  };
}

/** The sending side: all queues over few connections. */
export interface QueueSender {
  addBulk(queue: QueueName, entries: readonly QueueEntry[]): Promise<void>;
  /** Which of some messages nobody will get: the queue does not know them, or has delivered them to their end. */
  findUndeliverable(queue: QueueName, messageIds: readonly string[]): Promise<ReadonlySet<string>>;
  close(): Promise<void>;
}

export interface ReceiverOptions {
  readonly queue: QueueName;
  readonly concurrency: number;
  readonly log: QueueLog;
  /** Handles one message to its end. It must not throw: BullMQ has no say in what a failure means. */
  readonly receive: (name: string, data: unknown) => Promise<void>;
}

/** The receiving side of one queue. */
export interface QueueReceiver {
  run(): void;
  /** Takes no more messages and resolves when those in hand have been handled. */
  close(): Promise<void>;
}

/** Messages to every process that listens. */
export interface Broadcast {
  publish(topic: string, data: unknown): Promise<void>;
  subscribe(topic: string, listener: (data: unknown) => void): Promise<void>;
  /** Throws when the datastore does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
