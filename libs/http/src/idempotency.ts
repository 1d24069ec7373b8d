import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuthenticatedRequest } from '@millrace/auth';
import { OPERATIONS, takesKey, type Operation } from '@millrace/contract';
import { DomainError } from '@millrace/domain';
import { errorFields, type Logger } from '@millrace/telemetry';
import { fingerprintOf, idempotencyKeyOf, placeOfKey } from './idempotency-key.js';
import { isFinal, readAnswer, type Payload } from './idempotent-answer.js';
import { IdempotentWork, keyReused, replay, type IdempotencySettings } from './idempotent-work.js';
import type { MillraceRouteConfig } from './operation.decorator.js';

const TAKE_KEYS: ReadonlySet<string> = new Set(
  Object.entries<Operation>(OPERATIONS).flatMap(([name, operation]) => (takesKey(operation) ? [name] : [])),
);

export interface IdempotencyOptions extends IdempotencySettings {
  /** An answer with more bytes is not kept. */
  readonly answerBytesMax: number;
}

type Request = FastifyRequest & AuthenticatedRequest & { bodyHash?: string; idempotentWork?: IdempotentWork };

/**
 * Does a POST once that comes more than once with the same `Idempotency-Key`. Before its handler runs, the key is taken, or
 * the answer that is kept given; what the handler answers is kept before the client has it.
 *
 * Hooks and no interceptor of Nest: what is kept is the answer as it goes out, problems and answers of other services included.
 */
export function answerRepeats(fastify: FastifyInstance, options: IdempotencyOptions, logger: Logger): void {
  fastify.addHook('onRequest', (request: Request, _reply, done) => {
    try {
      // In time: nobody sends a file for a key that is none.
      if (isGuarded(request)) idempotencyKeyOf(request);
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  fastify.addHook('preHandler', async (request: Request, reply) => {
    const work = await begin(request, options);
    if (!work) return undefined;
    if (work.answer && !isStream(request)) return replay(reply, work.answer).send(work.answer.body);
    request.idempotentWork = work;
    const giveUp = (): void => void logged(logger, () => work.release());
    // The client has gone before there was an answer: what it sends next must not wait for the end of a lease.
    if (reply.raw.destroyed) giveUp();
    else reply.raw.once('close', giveUp);
    return undefined;
  });
  fastify.addHook('onSend', async (request: Request, reply, payload: Payload) => {
    const { idempotentWork: work } = request;
    if (!work) return payload;
    // Of bytes that streamed: the handler has compared them, and refused them where they were others.
    if (work.answer && reply.statusCode < 300) {
      replay(reply, work.answer);
      return work.answer.body;
    }
    return settle(work, { request, reply, payload, logger, bytesMax: options.answerBytesMax });
  });
}

/** Notes what a body was that has been read, for the comparison with one that comes later. */
export function noteBody(request: Request, bytes: Uint8Array): void {
  if (request.headers['idempotency-key'] === undefined) return;
  request.bodyHash = createHash('sha256').update(bytes).digest('hex');
}

/** Takes the key of a request. @throws DomainError `idempotency.key_reused`, `idempotency.in_progress` */
async function begin(request: Request, options: IdempotencyOptions): Promise<IdempotentWork | undefined> {
  const { principal } = request;
  const key = isGuarded(request) ? idempotencyKeyOf(request) : undefined;
  if (key === undefined || !principal) return undefined;
  // Of bytes that stream, it is known when they have been read.
  const fingerprint = isStream(request) ? undefined : fingerprintOf(request, request.bodyHash ?? '');
  const { ledger, leaseMs, retentionMs } = options;
  const found = await ledger.claim(placeOfKey(key, request, principal), { leaseMs, retentionMs, fingerprint });
  const isOther = fingerprint !== undefined && found.fingerprint !== null && found.fingerprint !== fingerprint;
  if (isOther) throw keyReused();
  if (found.outcome === 'running') {
    throw new DomainError('idempotency.in_progress', 'The first request with this key has no answer yet. Wait for it.');
  }
  return new IdempotentWork(request, found, options);
}

interface Outcome {
  readonly request: Request;
  readonly reply: FastifyReply;
  readonly payload: Payload;
  readonly logger: Logger;
  readonly bytesMax: number;
}

/** Keeps an answer that stands, or makes the key free. Whatever becomes of that, the client gets its answer. */
async function settle(work: IdempotentWork, outcome: Outcome): Promise<Payload> {
  const { request, reply, logger, bytesMax } = outcome;
  // A stream that was refused may not have been read: nobody can tell whether the next one is the same.
  const isKept = isFinal(reply) && (reply.statusCode < 300 || !isStream(request));
  if (!isKept) {
    await logged(logger, () => work.release());
    return outcome.payload;
  }
  const { answer, payload } = await readAnswer(reply, outcome.payload, bytesMax).catch((cause: unknown) => {
    throw new DomainError('service.unavailable', 'The answer broke off half way. Send the request again.', { cause });
  });
  await logged(logger, () => (answer ? work.keep(answer) : work.release()));
  return payload;
}

async function logged(logger: Logger, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    logger.warn(errorFields(error), 'the answer of a request with an idempotency key could not be noted');
  }
}

function isGuarded(request: FastifyRequest): boolean {
  const { operation } = configOf(request);
  return operation !== undefined && TAKE_KEYS.has(operation) && request.method === 'POST';
}

function isStream(request: FastifyRequest): boolean {
  return configOf(request).body === 'stream';
}

function configOf(request: FastifyRequest): Partial<MillraceRouteConfig> {
  return (request.routeOptions.config ?? {}) as Partial<MillraceRouteConfig>;
}
