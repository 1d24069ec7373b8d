import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError, toDomainError, type ErrorCode } from '@millrace/domain';
import { currentContext, errorFields, type Logger } from '@millrace/telemetry';
import { problemOf } from './problem.js';
import { unknownRoute } from './request-gate.js';

/** What a client that was told to come back should wait, in seconds. */
const RETRY_AFTER_S = 2;

/** What the framework itself refuses, by its status. */
const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'request.invalid',
  404: 'route.unknown',
  405: 'route.unknown',
  413: 'request.too_large',
  // A parameter of the path is too long to name anything.
  414: 'route.unknown',
  415: 'request.unsupported_media_type',
  503: 'service.unavailable',
};

/** Turns every error of a route into `application/problem+json` (RFC 9457). The only place that does. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(exception, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(exception: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = fromFramework(exception, request) ?? toDomainError(exception);
    const requestId = currentContext().requestId ?? request.id;
    const problem = problemOf(error, { instance: pathOf(request), requestId });
    this.log(error, problem.status);
    if (reply.raw.headersSent) {
      // The answer has begun: the only honest end is a broken connection.
      reply.raw.destroy();
      return;
    }
    if (problem.status === 401) void reply.header('www-authenticate', challengeOf(error.code));
    if (error.retryable) void reply.header('retry-after', String(RETRY_AFTER_S));
    void reply.status(problem.status).header('content-type', 'application/problem+json').send(problem);
  }

  /** What is our fault is an error; what may pass is a warning; what the caller did is in the line of the request. */
  private log(error: DomainError, status: number): void {
    if (status < 500 || error.code === 'query.deadline') return;
    const level = error.retryable ? 'warn' : 'error';
    this.logger[level]({ code: error.code, ...errorFields(error) }, 'a request failed');
  }
}

/** What RFC 6750 wants to be said of a key that was sent and is none; nothing where none was sent. */
function challengeOf(code: ErrorCode): string {
  return `Bearer realm="millrace"${code === 'auth.invalid' ? ', error="invalid_token"' : ''}`;
}

/** Without the query string, which may hold what a log or a screenshot should not. */
function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? url;
}

/** Errors of Nest and Fastify (unknown route, unreadable request) as ours; undefined for anything else. */
function fromFramework(exception: unknown, request: FastifyRequest): DomainError | undefined {
  if (exception instanceof DomainError) return undefined;
  const status = exception instanceof HttpException ? exception.getStatus() : statusOfFastifyError(exception);
  const code = status === undefined ? undefined : CODE_OF_STATUS[status];
  if (!code) return undefined;
  if (code === 'route.unknown') return unknownRoute(request);
  return new DomainError(code, (exception as Error).message, { cause: exception });
}

function statusOfFastifyError(exception: unknown): number | undefined {
  if (!(exception instanceof Error) || !('code' in exception) || !('statusCode' in exception)) return undefined;
  return String(exception.code).startsWith('FST_') ? Number(exception.statusCode) : undefined;
}
