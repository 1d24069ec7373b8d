import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { ServiceRun } from '@millrace/testing';

/** How often it asks the processes whether they are ready. */
const LOOK_MS = 100;

/**
 * One address before several processes, as a Service of Kubernetes is: it leads each new connection to one that was ready
 * when it looked last, in turn, and knows nothing of what passes. The connection between the two sides can be cut.
 */
export class Balancer {
  private ready: ServiceRun[] = [];
  private turn = 0;
  private isCut = false;
  private readonly sockets = new Set<Socket>();
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly server: Server,
    private readonly targets: () => readonly ServiceRun[],
  ) {
    server.on('connection', (client) => this.lead(client));
    this.timer = setInterval(() => void this.look(), LOOK_MS);
  }

  static async open(targets: () => readonly ServiceRun[]): Promise<Balancer> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Balancer(server, targets);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Asks now; for who has just started a process. */
  async look(): Promise<void> {
    const looks = this.targets().map(async (run) => ((await run.isReady()) ? [run] : []));
    this.ready = (await Promise.all(looks)).flat();
  }

  /** Ends all connections and takes no new ones until `mend`. */
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  mend(): void {
    this.isCut = false;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private lead(client: Socket): void {
    const target = this.ready[(this.turn += 1) % Math.max(1, this.ready.length)];
    if (this.isCut || target?.url === undefined) return void client.destroy();
    const { hostname, port } = new URL(target.url);
    const server = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(one);
      one.setNoDelay(true);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.sockets.delete(one);
        // A side that has said its last word lets the other finish; one that broke off breaks the other off.
        if (!one.readableEnded) other.destroy();
      });
    }
  }
}
