import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/** What Postgres sends when somebody ends a connection: an ErrorResponse with severity, code and message. */
const FATAL = errorResponse('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0');
/** ReadyForQuery: the end of a start, and of each answer. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5]);
const READY_BYTES = 6;

/** The moment at which a connection is ended. */
export interface BreakingPoint {
  /** Which connection, from 1; or all of them. */
  readonly connection: number | 'every';
  /** After which of its answers, from 1: the first is that to its start. */
  readonly answer: number;
  /** `told`: an error in the same packet as the answer; `reset`: instead of the answer. */
  readonly how: 'told' | 'reset';
}

/** Stands before Postgres and ends one connection at an exact moment, as a server that restarts may. */
export class BreakingProxy {
  readonly #sockets = new Set<Socket>();
  #connections = 0;
  /** Whether the moment came. */
  hasBroken = false;
  private readonly server: Server;

  private constructor(
    private readonly target: URL,
    private readonly point: BreakingPoint,
  ) {
    this.server = createServer((socket) => this.#join(socket));
  }

  static async start(databaseUrl: string, point: BreakingPoint): Promise<BreakingProxy> {
    const proxy = new BreakingProxy(new URL(databaseUrl), point);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  /** The database behind it. */
  get databaseUrl(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String((this.server.address() as AddressInfo).port);
    return url.href;
  }

  async stop(): Promise<void> {
    this.server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.server, 'close');
  }

  #join(client: Socket): void {
    const connection = (this.#connections += 1);
    this.#sockets.add(client);
    const server = connect(Number(this.target.port), this.target.hostname);
    let answers = 0;
    server.on('data', (bytes) => {
      if (bytes.subarray(-READY_BYTES, -1).equals(READY)) answers += 1;
      const isMeant = this.point.connection === 'every' || this.point.connection === connection;
      if (isMeant && answers === this.point.answer) return this.#break(client, bytes);
      client.write(bytes);
    });
    client.pipe(server);
    server.on('close', () => client.destroy()).on('error', () => undefined);
    client.on('close', () => server.destroy()).on('error', () => undefined);
  }

  #break(client: Socket, answer: Buffer): void {
    this.hasBroken = true;
    if (this.point.how === 'reset') client.resetAndDestroy();
    else client.end(Buffer.concat([answer, FATAL]));
  }
}

function errorResponse(fields: string): Buffer {
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeUInt32BE(4 + Buffer.byteLength(fields), 1);
  return Buffer.concat([head, Buffer.from(fields)]);
}
