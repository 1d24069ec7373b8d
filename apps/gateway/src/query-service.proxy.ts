import { Readable } from 'node:stream';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Agent, type Dispatcher } from 'undici';
import { CONTEXT_HEADER, signContext } from '@millrace/auth';
import { DomainError, type Principal } from '@millrace/domain';
import { checkRequestTarget } from '@millrace/http';
import { currentContext } from '@millrace/telemetry';
import { GATEWAY_SETTINGS, type GatewaySettings } from './gateway-settings.js';

const CONNECT_TIMEOUT_MS = 2_000;
const CONNECTIONS_MAX = 256;

/** Of the request, what the query service needs; the caller's credentials stay here. */
const REQUEST_HEADERS = ['content-type', 'content-length', 'prefer', 'accept', 'traceparent'] as const;

/** Of the answer, what belongs to the connection between us and not to the client's. */
const HOP_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'x-request-id',
  'date',
]);

/**
 * Passes requests on to the query service, as they are, with the caller's identity in a signed context, and its answers
 * back. Bytes stream through in both directions and are not parsed. A client that goes away ends the inner request.
 */
@Injectable()
export class QueryServiceProxy implements OnModuleDestroy {
  /** No time limit on answers: a statement's deadline is the query service's business. */
  private readonly agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    connections: CONNECTIONS_MAX,
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  constructor(@Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings) {}

  async onModuleDestroy(): Promise<void> {
    await this.agent.close();
  }

  /** @throws DomainError `service.unavailable` when the query service does not answer */
  async pass(caller: Principal, { request, reply }: { request: FastifyRequest; reply: FastifyReply }): Promise<void> {
    const gone = new AbortController();
    const onClose = (): void => {
      if (!reply.raw.writableFinished) gone.abort(new Error('the client went away'));
    };
    reply.raw.once('close', onClose);
    try {
      const answer = await this.send(caller, request, gone.signal);
      for (const [name, value] of Object.entries(answer.headers)) {
        if (value !== undefined && !HOP_HEADERS.has(name)) void reply.header(name, value);
      }
      await reply.status(answer.statusCode).send(answer.body);
    } catch (cause) {
      if (gone.signal.aborted) return;
      throw new DomainError('service.unavailable', 'The query service does not answer. Try again in a moment.', {
        cause,
      });
    }
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
    // The context is worth a key: where it goes to is never made from what a client sent.
    checkRequestTarget(request.url);
    return this.agent.request({
      origin: new URL(queryServiceUrl).origin,
      path: request.url,
      method: request.method as Dispatcher.HttpMethod,
      headers,
      body: request.body instanceof Readable ? request.body : null,
      signal,
    });
  }
}
