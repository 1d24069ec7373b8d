import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { AddressInfo, Server } from 'node:net';

/** What Fastify tells of a server that is being made, and of its routes. */
interface ToldServer {
  readonly server: Server;
  addHook(
    name: 'onRoute',
    hook: (route: { readonly method: string | readonly string[]; readonly url: string }) => void,
  ): unknown;
}

const CHANNEL = 'fastify.initialization';

/** Everything that the HTTP servers of this process serve, told by their routers: also what no description names. */
export class ServedRoutes {
  readonly #servers: { readonly server: Server; readonly routes: string[] }[] = [];
  readonly #listen = (message: unknown): void => this.#add((message as { fastify: ToldServer }).fastify);

  private constructor() {
    subscribe(CHANNEL, this.#listen);
  }

  /** Listens while servers are made and started. */
  static async during<T>(start: () => Promise<T>): Promise<{ started: T; routes: ServedRoutes }> {
    const routes = new ServedRoutes();
    try {
      return { started: await start(), routes };
    } finally {
      unsubscribe(CHANNEL, routes.#listen);
    }
  }

  /** The routes of the server behind an address, such as `get /v1/files/{id}`. */
  at(url: string): string[] {
    return this.#servers.filter((each) => portOf(each.server) === Number(new URL(url).port)).flatMap(routesOf);
  }

  /** The routes of all other servers. */
  besides(url: string): string[] {
    return this.#servers.filter((each) => portOf(each.server) !== Number(new URL(url).port)).flatMap(routesOf);
  }

  #add(fastify: ToldServer): void {
    const routes: string[] = [];
    this.#servers.push({ server: fastify.server, routes });
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) routes.push(`${each.toLowerCase()} ${url.replace(/:(\w+)/g, '{$1}')}`);
    });
  }
}

const routesOf = ({ routes }: { readonly routes: string[] }): string[] => routes;
const portOf = (server: Server): number | undefined => (server.address() as AddressInfo | null)?.port;
