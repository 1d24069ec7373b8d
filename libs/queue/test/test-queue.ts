import type { QueueLocation } from '../src/queue-location.js';

/** A message as it lies in the queue. */
export interface StoredMessage {
  readonly queue: string;
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
}

/** A queue of one test, and what a test does behind BullMQ's back. */
export interface TestQueue {
  readonly location: QueueLocation;
  /** The messages that wait, of all queues, in the order in which they came. */
  messages(): Promise<StoredMessage[]>;
  /** Makes BullMQ believe that the worker of every running message is gone. */
  loseWorkers(): Promise<void>;
  /** Removes everything. */
  loseAll(): Promise<void>;
  /** Ends every connection, as a restart of the server does. */
  breakConnections(): Promise<void>;
  countConnections(): Promise<number>;
  /** Whether a worker of a queue waits for notifications. */
  isListening(queue: string): Promise<boolean>;
  /** Lets no message in from now on. */
  refuseMessages(): Promise<void>;
  /** The topics that somebody listens for. */
  topics(): Promise<string[]>;
}

/** Queues for the tests of one spec file; each test gets one of its own. */
export interface TestDatastore {
  createQueue(): Promise<TestQueue>;
  stop(): Promise<void>;
}
