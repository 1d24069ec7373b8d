import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A message of the server by which a connection ends: what a client gets when it is terminated (57P01). */
function fatalMessage(): Buffer {
  const fields = Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0');
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

/** `ReadyForQuery`, outside of a transaction: the end of the handshake, and of each answer. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/**
 * Stands before a Postgres and ends each connection in the very packet that says that it is ready: the moment in which
 * a client waits for nothing yet. A server that restarts does so now and then.
 */
export class DroppingServer {
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  /** The same database, through the server. */
  static async before(databaseUrl: string): Promise<{ server: DroppingServer; databaseUrl: string }> {
    const url = new URL(databaseUrl);
    const server = new DroppingServer(createServer());
    const target = { host: url.hostname, port: Number(url.port) };
    server.server.on('connection', (client) => server.relay(client, target));
    server.server.listen(0, '127.0.0.1');
    await once(server.server, 'listening');
    url.host = '127.0.0.1';
    url.port = String((server.server.address() as AddressInfo).port);
    return { server, databaseUrl: url.href };
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private relay(client: Socket, target: { host: string; port: number }): void {
    const postgres = connect(target);
    for (const socket of [client, postgres]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => this.sockets.delete(socket));
    }
    client.pipe(postgres);
    postgres.on('data', (chunk: Buffer) => {
      if (!chunk.subarray(-READY.length).equals(READY)) client.write(chunk);
      else client.end(Buffer.concat([chunk, fatalMessage()]));
    });
    client.once('close', () => postgres.destroy());
    postgres.once('close', () => client.destroy());
  }
}
