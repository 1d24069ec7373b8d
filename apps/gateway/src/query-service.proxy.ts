import type { ServerResponse } from 'node:http';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Agent, type Dispatcher } from 'undici';
import { CONTEXT_HEADER, signContext } from '@millrace/auth';
import { DomainError, type Principal } from '@millrace/domain';
import { checkRequestTarget } from '@millrace/http';
import { currentContext, currentTraceparent, inSpan } from '@millrace/telemetry';
import { ConnectionShares } from './connection-shares.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from './gateway-settings.js';

const CONNECT_TIMEOUT_MS = 2_000;
const CONNECTIONS_MAX = 256;
/** Far more than a tenant may run at once, and a quarter of what there is. */
const CONNECTIONS_OF_TENANT_MAX = CONNECTIONS_MAX / 4;
/** Longer than a page takes, shorter than anybody waits without a sign. */
const CONNECTION_WAIT_MAX_MS = 5_000;

/** The caller was known to us: another key would not help it. */
const REFUSED_CONTEXT = 401;

/** Of the request, what the query service needs; the caller's credentials stay here. */
const REQUEST_HEADERS = ['content-type', 'prefer', 'accept', 'range', 'if-range', 'if-none-match'] as const;

/** Of the answer, what belongs to the connection between us and not to the client's. */
const HOP_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'x-request-id',
  'traceparent',
  'date',
]);

/**
 * Passes requests on to the query service, as they are, with the caller's identity in a signed context, and its answers
 * back. Bodies arrive whole before they take a connection, and are not parsed; answers stream through. A client that
 * goes away ends the inner request.
 */
@Injectable()
export class QueryServiceProxy implements OnApplicationShutdown {
  private readonly agent: Agent;

  private readonly shares = new ConnectionShares({
    callsMax: CONNECTIONS_MAX,
    callsOfTenantMax: CONNECTIONS_OF_TENANT_MAX,
    waitMaxMs: CONNECTION_WAIT_MAX_MS,
  });

  constructor(@Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings) {
    this.agent = new Agent({
      connect: { timeout: CONNECT_TIMEOUT_MS },
      connections: CONNECTIONS_MAX,
      // What balances connections between instances balances nothing while they stay the same.
      clientTtl: settings.queryServiceConnectionMs,
      // No time limit on answers: a statement's deadline is the query service's business.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** Last of all: until the server has closed, requests come through here. */
  async onApplicationShutdown(): Promise<void> {
    await this.agent.close();
  }

  /**
   * @throws DomainError `service.unavailable` when the query service does not answer, `query.too_many` when too many
   * requests of the tenant are under way
   */
  async pass(caller: Principal, { request, reply }: { request: FastifyRequest; reply: FastifyReply }): Promise<void> {
    const signal = goneSignal(reply.raw);
    try {
      await this.shares.run(caller.tenantId, () => this.exchange(caller, { request, reply, signal }), { signal });
    } catch (cause) {
      if (signal.aborted) return;
      if (cause instanceof DomainError) throw cause;
      const detail = 'The query service does not answer. Try again in a moment.';
      throw new DomainError('service.unavailable', detail, { cause });
    }
  }

  /** Ends when the client has the whole answer: until then it takes a connection. */
  private async exchange(
    caller: Principal,
    { request, reply, signal }: { request: FastifyRequest; reply: FastifyReply; signal: AbortSignal },
  ): Promise<void> {
    const answer = await inSpan({ name: 'query-service', kind: 'client' }, {}, async (span) => {
      const answered = await this.send(caller, request, signal);
      span.set({ 'http.response.status_code': answered.statusCode });
      return answered;
    });
    if (answer.statusCode === REFUSED_CONTEXT) {
      await answer.body.dump();
      throw new Error('The query service refused our context: INTERNAL_SECRET or the clocks of the two differ.');
    }
    for (const [name, value] of Object.entries(answer.headers)) {
      if (value !== undefined && !HOP_HEADERS.has(name)) void reply.header(name, value);
    }
    await reply.status(answer.statusCode).send(answer.body);
  }

  private send(caller: Principal, request: FastifyRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { internalSecret, queryServiceUrl } = this.settings;
    const headers: Record<string, string> = { [CONTEXT_HEADER]: signContext(caller, internalSecret) };
    for (const name of REQUEST_HEADERS) {
      const value = request.headers[name];
      if (typeof value === 'string') headers[name] = value;
    }
    const { requestId } = currentContext();
    if (requestId) headers['x-request-id'] = requestId;
    const traceparent = currentTraceparent();
    if (traceparent !== undefined) headers['traceparent'] = traceparent;
    // The context is worth a key: where it goes to is never made from what a client sent.
    checkRequestTarget(request.url);
    return this.agent.request({
      origin: new URL(queryServiceUrl).origin,
      path: request.url,
      method: request.method as Dispatcher.HttpMethod,
      headers,
      body: Buffer.isBuffer(request.body) ? request.body : null,
      signal,
    });
  }
}

/** Aborted when the client goes away before it has its answer. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  const onClose = (): void => {
    if (!response.writableFinished) gone.abort(new Error('the client went away'));
  };
  if (response.destroyed) onClose();
  else response.once('close', onClose);
  return gone.signal;
}
