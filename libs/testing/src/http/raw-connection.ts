import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { eventually } from '../eventually.js';

const WAIT_MAX_MS = 10_000;

/** A connection that says what no HTTP client would, byte by byte, and keeps what it hears. */
export class RawConnection {
  /** Everything that has arrived, as Latin-1. */
  received = '';
  isClosed = false;

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => (this.received += text));
    // A server that cuts the connection off is what many of these tests want.
    socket.on('error', () => undefined);
    socket.on('close', () => (this.isClosed = true));
  }

  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const connection = new RawConnection(socket);
    await once(socket, 'connect');
    return connection;
  }

  /** How often a status line has arrived. */
  get statuses(): readonly number[] {
    return [...this.received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Sends a request: its line, its headers one by one, and the body as it is. */
  request(line: string, headers: readonly string[] = [], body = ''): void {
    this.write(`${[`${line} HTTP/1.1`, 'Host: test', ...headers].join('\r\n')}\r\n\r\n${body}`);
  }

  /** Resolves when what has arrived matches. */
  async until(pattern: RegExp, waitMaxMs = WAIT_MAX_MS): Promise<void> {
    await this.look(() => pattern.test(this.received), `${pattern} arrives`, waitMaxMs);
  }

  /** Resolves when the server has said that no more will come; gives what has arrived. */
  async ended(waitMaxMs = WAIT_MAX_MS): Promise<string> {
    await this.look(() => this.socket.readableEnded || this.isClosed, 'the server closes', waitMaxMs);
    return this.received;
  }

  /**
   * Resolves when the server no longer takes anything, although this side never stopped; gives what has arrived.
   *
   * @param bytes what to go on sending: without any, nobody hears of a connection that is gone
   */
  async cutOff(waitMaxMs = WAIT_MAX_MS, bytes = 'x'): Promise<string> {
    const sending = setInterval(() => this.write(bytes), 20);
    try {
      await this.look(() => this.isClosed, 'the connection is cut off', waitMaxMs);
    } finally {
      clearInterval(sending);
    }
    return this.received;
  }

  /** Takes nothing more of what the server sends, until `resume`. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  destroy(): void {
    this.socket.destroy();
  }

  private async look(isThere: () => boolean, expected: string, waitMaxMs: number): Promise<void> {
    await eventually(expected, isThere, waitMaxMs).catch((cause: unknown) => {
      throw new Error(`It was never so: ${expected}. This came: ${this.received.slice(0, 500)}`, { cause });
    });
  }
}
