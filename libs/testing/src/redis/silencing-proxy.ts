import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Stands before a server; connections can be made to go silent, as by a firewall that has forgotten them. */
export class SilencingProxy {
  /** While it is, new connections are taken, and nothing ever passes through them. */
  isSilent = false;
  /** Connections that were taken while it was silent. */
  readonly #silent: Socket[] = [];
  readonly #pairs: (readonly [Socket, Socket])[] = [];
  private readonly server: Server;

  private constructor(private readonly target: number) {
    this.server = createServer((socket) => this.#join(socket));
  }

  static async start(targetPort: number): Promise<SilencingProxy> {
    const proxy = new SilencingProxy(targetPort);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** How many connections it took while it was silent. */
  get silentCount(): number {
    return this.#silent.length;
  }

  /** Nothing passes any more through the connections that there are; new ones work. Gives their number. */
  silence(): number {
    for (const [client, server] of this.#pairs) {
      client.unpipe().resume();
      server.unpipe().resume();
    }
    return this.#pairs.length;
  }

  async stop(): Promise<void> {
    this.server.close();
    for (const socket of [...this.#silent, ...this.#pairs.flat()]) socket.destroy();
    await once(this.server, 'close');
  }

  #join(client: Socket): void {
    if (this.isSilent) return void this.#silent.push(client.on('error', () => undefined).resume());
    const server = connect(this.target, '127.0.0.1');
    this.#pairs.push([client, server]);
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.pipe(server).pipe(client);
  }
}
