import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DomainError } from '@millrace/domain';
import type { MillraceRouteConfig } from './operation.decorator.js';

const JSON_MEDIA_TYPE = /^application\/(?:[\w.+-]+\+)?json\b/i;

/**
 * Parses JSON bodies up to a bound and hands every body of a streaming route through unread, whatever its media type.
 * One parser for all media types: which of both it is depends on the route, not on what the client says it sends.
 */
export function registerBodyParser(fastify: FastifyInstance, options: { readonly jsonBytesMax: number }): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (request, payload, done) => {
    const config = request.routeOptions.config as Partial<MillraceRouteConfig>;
    if (config.streamsBody) return done(null, payload);
    if (!JSON_MEDIA_TYPE.test(request.headers['content-type'] ?? '')) {
      return done(unsupportedMediaType(request));
    }
    if (Number(request.headers['content-length'] ?? 0) > options.jsonBytesMax) {
      return done(tooLarge(options.jsonBytesMax));
    }
    readText(payload, options.jsonBytesMax).then(
      (text) => parseJson(request, text, (error, body) => done(error ? malformed(error) : null, body)),
      (error: Error) => done(error),
    );
  });
}

async function readText(payload: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  // Destroyed, the request would take its connection along, and the answer with that.
  for await (const chunk of payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
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
  const given = request.headers['content-type'];
  return new DomainError(
    'request.unsupported_media_type',
    `This route takes "Content-Type: application/json"${given ? `, not "${given}"` : ''}.`,
  );
}
