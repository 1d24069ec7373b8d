import type { AddressInfo } from 'node:net';
import { type DomainError, toDomainError } from '@millrace/domain';
import type { MetricsPage } from '@millrace/telemetry';
import fastify, { type FastifyInstance } from 'fastify';
import type { Readiness } from './readiness.js';

/** Nothing that is asked here takes longer, and nothing has a body. */
const REQUEST_TIMEOUT_MS = 10_000;
const CONNECTIONS_MAX = 100;

/** A page in JSON, made anew for each request. */
export type OperationsPage = () => Promise<object>;

export interface OperationsDoorOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly readiness: Readiness;
  readonly metrics: MetricsPage;
}

/**
 * The door of a process for those who run it: `/livez`, `/readyz` with what each dependency says, `/metrics`, and what a
 * service adds. It asks for no key, so it listens where only they come: on a port of its own. It is there before any
 * dependency is, and to the very end.
 */
export class OperationsDoor {
  private readonly pages = new Map<string, OperationsPage>();

  private constructor(
    private readonly app: FastifyInstance,
    private readonly options: OperationsDoorOptions,
  ) {
    app.server.maxConnections = CONNECTIONS_MAX;
    app.get('/livez', async () => ({ status: 'ok' }));
    app.get('/readyz', async (_request, reply) => {
      const { isReady, checks } = await options.readiness.look();
      return reply.status(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'not_ready', checks });
    });
    app.get('/metrics', async (_request, reply) =>
      reply.type(options.metrics.contentType).send(await options.metrics.metrics()),
    );
    app.get('/internal/*', async (request, reply) => {
      const page = this.pages.get(request.url);
      if (!page) return reply.status(404).send({ detail: 'There is no such page, or not yet.' });
      try {
        return await reply.send(await page());
      } catch (error) {
        return reply.status(503).send(messageOf(toDomainError(error)));
      }
    });
  }

  /** @throws Error of the system when it can not listen there */
  static async open(options: OperationsDoorOptions): Promise<OperationsDoor> {
    const app = fastify({ requestTimeout: REQUEST_TIMEOUT_MS, forceCloseConnections: true });
    const door = new OperationsDoor(app, options);
    await app.listen({ host: options.host, port: options.port });
    return door;
  }

  /** For example `http://127.0.0.1:9090`. */
  get url(): string {
    const { port } = this.app.server.address() as AddressInfo;
    const { host } = this.options;
    return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  /** Adds a page below `/internal/`. */
  addPage(path: `/internal/${string}`, page: OperationsPage): void {
    this.pages.set(path, page);
  }

  close(): Promise<void> {
    return this.app.close();
  }
}

function messageOf({ code, message }: DomainError): object {
  return { code, detail: message };
}
