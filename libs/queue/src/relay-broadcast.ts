import type { Relay } from 'bullmq';
import type { Broadcast } from './queue-backend.js';

interface RelayEnds {
  readonly ping: () => Promise<unknown>;
  /** Closes the relay and what it runs on. */
  readonly close: () => Promise<void>;
}

/** Messages over a node of BullMQ's relay. */
export class RelayBroadcast implements Broadcast {
  #closed: Promise<void> | undefined;

  private constructor(
    private readonly relay: Relay,
    private readonly ends: RelayEnds,
  ) {}

  /** Waits until the node is known to the others; closes everything when that fails. */
  static async start(relay: Relay, ends: RelayEnds): Promise<RelayBroadcast> {
    const broadcast = new RelayBroadcast(relay, ends);
    await relay.waitUntilReady().catch(async (error: unknown) => {
      await broadcast.close();
      throw error;
    });
    return broadcast;
  }

  async publish(topic: string, data: unknown): Promise<void> {
    await this.relay.publish(topic, data);
  }

  async subscribe(topic: string, listener: (data: unknown) => void): Promise<void> {
    await this.relay.subscribe(topic, (message) => {
      listener(message.data);
    });
  }

  async ping(): Promise<void> {
    await this.ends.ping();
  }

  close(): Promise<void> {
    return (this.#closed ??= this.ends.close());
  }
}
