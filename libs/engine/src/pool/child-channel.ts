import type { Duplex } from 'node:stream';
import { serialize } from 'node:v8';
import { parseChildMessage } from './child-message.js';
import { encodeFrame } from './encode-frame.js';
import { FrameReader } from './frame-reader.js';
import type { FromChild, ToChild } from './wire.js';

/** A child tells its progress ten times a second. */
const MESSAGES_PER_SECOND_MAX = 1_000;
const SECOND_MS = 1_000;

export type ChannelBreach = 'unreadable' | 'unknown' | 'unasked' | 'flood';

type Listener = (message: FromChild, text: string) => void;

/**
 * The supervisor's end of the channel to a child. Whatever a child says, it ends no service: the first thing that is not
 * a message, that nobody waits for, or that is one too many closes the channel, and `onBreach` is called once.
 */
export class ChildChannel {
  private readonly reader = new FrameReader({
    decodeHead: (bytes) => JSON.parse(bytes.toString('utf8')),
    onFrame: ({ head, text }) => this.onFrame(head, text),
  });
  /**
   * Whether the child ended without having read all that it was told. The kernel knows: it resets a socket whose other end
   * was closed with bytes still in it. Where it does not tell (it does on Linux), all counts as read. Known once the
   * channel has closed.
   */
  hasLeftMessages = false;
  private listener: Listener | undefined;
  private isBroken = false;
  private secondStartedAt = 0;
  private messagesThisSecond = 0;

  /** @param stream undefined when the child could not be started at all */
  constructor(
    private readonly stream: Duplex | undefined,
    private readonly onBreach: (breach: ChannelBreach) => void,
  ) {
    this.reader.textBytesMax = 0;
    stream?.on('data', (bytes: Buffer) => this.onData(bytes));
    // A message to a child that has just gone fails here; its end is what tells us.
    stream?.on('error', ({ code }: NodeJS.ErrnoException) => {
      this.hasLeftMessages ||= code === 'EPIPE' || code === 'ECONNRESET';
    });
  }

  /**
   * Who takes the next messages; without a listener none may come.
   *
   * @param textBytesMax of the text beside one, in UTF-8
   */
  listen(listener: Listener, textBytesMax: number): void {
    // Only who has a task can flood: a child may well have a thousand tasks in a second.
    this.messagesThisSecond = 0;
    this.listener = listener;
    this.reader.textBytesMax = textBytesMax;
  }

  unlisten(): void {
    this.listener = undefined;
    this.reader.textBytesMax = 0;
  }

  send(message: ToChild): void {
    if (this.stream?.writable) this.stream.write(encodeFrame(serialize(message)));
    else this.hasLeftMessages = true;
  }

  /** Waits until nothing can come any more, or for some time: a process that the child has left behind may hold its end. */
  async untilClosed(waitMaxMs: number): Promise<void> {
    const { stream } = this;
    if (!stream || stream.closed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMaxMs);
    stream.once('close', resolve);
    await promise;
    clearTimeout(timer);
  }

  break(breach: ChannelBreach): void {
    if (this.isBroken) return;
    this.isBroken = true;
    this.unlisten();
    this.stream?.destroy();
    this.onBreach(breach);
  }

  private onData(bytes: Buffer): void {
    try {
      this.reader.push(bytes);
    } catch {
      this.break('unreadable');
    }
  }

  private onFrame(head: unknown, text: string): void {
    // What came with a breach in one piece.
    if (this.isBroken) return;
    if (this.isFlood()) return this.break('flood');
    const message = parseChildMessage(head);
    if (!message) return this.break('unknown');
    if (!this.listener) return this.break('unasked');
    this.listener(message, text);
  }

  private isFlood(): boolean {
    const now = performance.now();
    if (now - this.secondStartedAt > SECOND_MS) {
      this.secondStartedAt = now;
      this.messagesThisSecond = 0;
    }
    this.messagesThisSecond += 1;
    return this.messagesThisSecond > MESSAGES_PER_SECOND_MAX;
  }
}
