import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuthenticatedRequest } from '@millrace/auth';
import { DomainError } from '@millrace/domain';
import { BodyBudget, type BodyShare } from './body-budget.js';
import type { HttpLimits } from './http-limits.js';
import { noteBody } from './idempotency.js';
import type { MillraceRouteConfig } from './operation.decorator.js';
import { withTimeLimits } from './time-limits.js';

/** What a client calls a media type may be none at all. */
const MEDIA_TYPE = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(?:;|$)/;
const JSON_MEDIA_TYPE = /^application\/(?:[\w.+-]+\+)?json\b/i;

type IncomingRequest = FastifyRequest & AuthenticatedRequest & { bodyShare?: BodyShare };

/**
 * Reads JSON bodies up to a bound, parses those that their route wants parsed, and hands every body of a streaming route
 * through unread, whatever its media type.
 * One parser for all media types: which of both it is depends on the route, not on what the client says it sends.
 */
export function registerBodyParser(fastify: FastifyInstance, limits: HttpLimits): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  const budget = new BodyBudget(limits);
  fastify.removeAllContentTypeParsers();
  fastify.addHook('preParsing', (request: IncomingRequest, reply, payload, done) => {
    shareBudget(request, reply, budget);
    replaceOddMediaType(request);
    done(null, payload);
  });
  fastify.addContentTypeParser('*', (request: IncomingRequest, payload, done) => {
    const { body: form } = request.routeOptions.config as Partial<MillraceRouteConfig>;
    if (form === 'stream') return done(null, payload);
    // A client may set its media type for all requests, also for those whose operation has no body.
    if ((form === 'none' || form === 'jsonOrNone') && isEmpty(request)) return done(null);
    readJson(request, payload, limits).then(
      (bytes) => {
        noteBody(request, bytes);
        if (form === 'jsonBytes') return done(null, bytes);
        void parseJson(request, bytes.toString('utf8'), (error, body) => done(error ? malformed(error) : null, body));
      },
      (error: Error) => done(error),
    );
  });
}

/** Fastify would refuse a media type that is malformed before it asks the parser, also where the type does not matter. */
function replaceOddMediaType(request: FastifyRequest): void {
  const given = request.headers['content-type'];
  if (given === undefined || MEDIA_TYPE.test(given)) return;
  request.headers = { ...request.headers, 'content-type': 'application/octet-stream' };
}

/** What a body takes is given back when its request is answered, or its client has gone. */
function shareBudget(request: IncomingRequest, { raw }: FastifyReply, budget: BodyBudget): void {
  if (raw.destroyed) return;
  const share = budget.share(request.principal?.tenantId ?? 'nobody');
  request.bodyShare = share;
  raw.once('close', () => share.release());
}

function isEmpty({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;
}

async function readJson(request: IncomingRequest, payload: IncomingMessage, limits: HttpLimits): Promise<Buffer> {
  if (!JSON_MEDIA_TYPE.test(request.headers['content-type'] ?? '')) throw unsupportedMediaType(request);
  checkNotEncoded(request.headers['content-encoding']);
  if (Number(request.headers['content-length'] ?? 0) > limits.jsonBytesMax) throw tooLarge(limits.jsonBytesMax);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const time = { idleMs: limits.jsonBodyIdleMs, totalMs: limits.jsonBodyMs, code: 'request.interrupted' } as const;
  for await (const chunk of withTimeLimits(payload, time)) {
    sizeBytes += chunk.length;
    if (sizeBytes > limits.jsonBytesMax) throw tooLarge(limits.jsonBytesMax);
    request.bodyShare?.take(chunk.length);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  // Decoded all the same, they would become other text than was sent.
  if (!isUtf8(bytes)) throw malformed(new Error('its bytes are no UTF-8'));
  return bytes;
}

function checkNotEncoded(encoding: string | undefined): void {
  if (encoding === undefined || encoding.trim().toLowerCase() === 'identity') return;
  throw new DomainError(
    'request.unsupported_media_type',
    `JSON is taken as it is, without "Content-Encoding: ${encoding}".`,
  );
}

function tooLarge(bytesMax: number): DomainError {
  return new DomainError(
    'request.too_large',
    `A JSON body has at most ${bytesMax} bytes. Upload larger content as a file.`,
  );
}

function malformed(cause: Error): DomainError {
  // Fastify hides what the parser said behind a sentence of its own.
  const reason = cause.cause instanceof Error ? cause.cause.message : cause.message;
  return new DomainError('request.malformed', `The body can not be read as JSON: ${reason}`, { cause });
}

function unsupportedMediaType(request: FastifyRequest): DomainError {
  const given = request.raw.headers['content-type'];
  return new DomainError(
    'request.unsupported_media_type',
    `This route takes "Content-Type: application/json"${given ? `, not "${given}"` : ''}.`,
  );
}
