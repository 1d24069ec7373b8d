import { Socket } from 'node:net';
import { deserialize } from 'node:v8';
import { encodeFrame } from '../pool/encode-frame.js';
import { FrameReader, HEAD_BYTES_MAX } from '../pool/frame-reader.js';
import { CHANNEL_FD, type FromChild, type ToChild } from '../pool/wire.js';

/** The child's end of the channel. A process whose supervisor is gone ends at once. */
export class SupervisorChannel {
  private readonly socket = new Socket({ fd: CHANNEL_FD });

  constructor(onMessage: (message: ToChild) => void) {
    const reader = new FrameReader({
      decodeHead: deserialize,
      onFrame: ({ head }) => onMessage(head as ToChild),
    });
    this.socket.on('data', (bytes: Buffer) => reader.push(bytes));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => process.kill(process.pid, 'SIGKILL'));
  }

  /**
   * @param text the long text of an answer
   * @returns false when the message is too long to be sent, and was not
   */
  tell(message: FromChild, text?: string): boolean {
    const head = Buffer.from(JSON.stringify(message));
    if (head.length > HEAD_BYTES_MAX) return false;
    this.socket.write(encodeFrame(head, text));
    return true;
  }
}
