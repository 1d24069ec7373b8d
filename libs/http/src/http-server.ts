import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { FastifyInstance, FastifyRequest, FastifyServerOptions } from 'fastify';
import { OPERATIONS, type Operation } from '@millrace/contract';
import { DomainError } from '@millrace/domain';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Authenticator } from '@millrace/auth';
import { enterContext, type Logger, type Registry } from '@millrace/telemetry';
import { registerBodyParser } from './body-parser.js';
import { answerClientErrors } from './client-error.js';
import { closeAfterEarlyAnswer, closeAfterEarlyAnswers, endStalledAnswers } from './early-answer.js';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from './http-limits.js';
import { answerRepeats } from './idempotency.js';
import type { IdempotencySettings } from './idempotent-work.js';
import { createNodeServer } from './node-server.js';
import type { MillraceRouteConfig } from './operation.decorator.js';
import { observeRequests } from './request-observer.js';
import { NestLogger } from './nest-logger.js';
import { PageLinkInterceptor } from './page-link.interceptor.js';
import { partWhileDraining } from './part-while-draining.js';
import type { Readiness } from './readiness.js';
import { ProblemFilter } from './problem.filter.js';
import { refuseWhileClosing } from './refuse-while-closing.js';
import { guardRequests } from './request-gate.js';
import { requestIdOf } from './request-id.js';
import { traceRequests } from './request-tracer.js';
import { Turns } from './turns.js';
import { validationPipe } from './validation.js';

/** While a server closes: how often connections whose requests have ended are closed. */
const IDLE_LOOK_MS = 50;

const OPERATIONS_WITH_QUERY: ReadonlySet<string> = new Set(
  Object.entries<Operation>(OPERATIONS).flatMap(([name, { query }]) => (query ? [name] : [])),
);

export interface HttpServerOptions {
  /** The app's module, or what its `with` gives. */
  readonly module: Parameters<typeof NestFactory.create>[0];
  readonly authenticator: Authenticator;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** What clients may hold, where it is not `DEFAULT_HTTP_LIMITS`. */
  readonly limits?: Partial<HttpLimits>;
  /** Where requests are remembered that carry an `Idempotency-Key`; without it the header means nothing. */
  readonly idempotency?: IdempotencySettings;
  /** Says when the process is about to stop; while it is, answers end their connections. */
  readonly readiness?: Readiness;
  /** Adds what is not a route of the contract, such as pages, before the app starts; see `makePublic`. */
  readonly extend?: (fastify: FastifyInstance) => Promise<void>;
}

/**
 * Makes an HTTP app with the rules that all share: deny by default, JSON checked by schema, streams left alone, errors
 * as problem+json, a request id on every answer and log line. The caller listens and closes.
 */
export async function createHttpServer(options: HttpServerOptions): Promise<NestFastifyApplication> {
  const { metrics } = options;
  const limits = { ...DEFAULT_HTTP_LIMITS, ...options.limits };
  const problems = new ProblemFilter(options.logger);
  const adapter = new FastifyAdapter(serverOptions({ problems, limits, metrics }));
  const fastify = adapter.getInstance();
  fastify.addHook('onRequest', (request, reply, done) => {
    enterContext({ requestId: request.id });
    void reply.header('x-request-id', request.id);
    done();
  });
  traceRequests(fastify);
  refuseWhileClosing(fastify);
  if (options.readiness) partWhileDraining(fastify, options.readiness);
  guardRequests(fastify, options.authenticator);
  closeAfterEarlyAnswers(fastify);
  endStalledAnswers(fastify, limits);
  fastify.addHook('onRequest', (request, _reply, done) => done(unknownParameter(request)));
  observeRequests(fastify, options);
  if (options.idempotency) {
    const answerBytesMax = limits.keptAnswerBytesMax;
    answerRepeats(fastify, { ...options.idempotency, answerBytesMax }, options.logger);
  }
  const app = await NestFactory.create<NestFastifyApplication>(options.module, adapter, {
    bodyParser: false,
    logger: new NestLogger(options.logger),
    abortOnError: false,
  });
  await options.extend?.(fastify);
  registerBodyParser(fastify, limits);
  app.useGlobalPipes(validationPipe());
  app.useGlobalInterceptors(new PageLinkInterceptor());
  app.useGlobalFilters(problems);
  await app.init();
  return app;
}

interface ServerParts {
  readonly problems: ProblemFilter;
  readonly limits: HttpLimits;
  readonly metrics: Registry;
}

function serverOptions({ problems, limits, metrics }: ServerParts): FastifyServerOptions {
  const turns = new Turns();
  return {
    genReqId: requestIdOf,
    // Bodies of streaming routes have no bound here; JSON has its own in the parser.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    serverFactory: (handle) => createNodeServer(handle, { limits, metrics, turns }),
    clientErrorHandler: answerClientErrors(turns),
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, request, reply) => {
      // The router itself refuses these, before any hook.
      void reply.header('x-request-id', request.id);
      closeAfterEarlyAnswer(request.raw, reply.raw);
      problems.answer(error, request, reply);
    },
  };
}

/** A route without parameters refuses them: one that was misspelt, or is of a later version, must not go unnoticed. */
function unknownParameter(request: FastifyRequest): DomainError | undefined {
  const { operation } = request.routeOptions.config as Partial<MillraceRouteConfig>;
  if (!operation || OPERATIONS_WITH_QUERY.has(operation)) return undefined;
  const [name] = Object.keys(request.query as object);
  if (name === undefined) return undefined;
  return new DomainError('request.invalid', `This route has no query parameter "${name.slice(0, 100)}".`);
}

/**
 * Takes no more connections, lets the requests that run end, and cuts off what still runs after a while: a client that
 * reads slowly must not keep a process from ending. Nor must one that keeps its connection after the answer.
 */
export async function closeHttpServer(app: NestFastifyApplication, drainMs: number): Promise<void> {
  const { server } = app.getHttpAdapter().getInstance();
  const deadline = setTimeout(() => server.closeAllConnections(), drainMs);
  // Node closes those that are idle when the server closes, not those that become idle later.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
  try {
    await app.close();
  } finally {
    clearTimeout(deadline);
    clearInterval(idle);
  }
}
