import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { KeptAnswer } from '@millrace/domain';

/** What of an answer belongs to it and not to the connection or the one request. */
const KEPT_HEADERS: ReadonlySet<string> = new Set([
  'cache-control',
  'content-disposition',
  'content-type',
  'etag',
  'link',
  'location',
  'preference-applied',
  'retry-after',
  'vary',
]);
const OF_ONE_REQUEST: ReadonlySet<string> = new Set(['x-request-id']);

/** Who may do it, and how much of it: the next answer to the same request may be another. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([401, 403, 408, 429]);

export type Payload = string | Uint8Array | Readable | null | undefined;

/**
 * Whether an answer is the answer for good: what was done, or a refusal that would come again. Where it says when to come
 * again, it is none.
 */
export function isFinal(reply: FastifyReply): boolean {
  const { statusCode: status } = reply;
  if (status >= 200 && status < 300) return true;
  return status >= 400 && status < 500 && !PASSING_STATUSES.has(status) && !reply.hasHeader('retry-after');
}

/**
 * The answer as it can be kept, and as it can be sent after that: what streams has been read.
 *
 * @returns no answer where it has more bytes than may be kept
 */
export async function readAnswer(
  reply: FastifyReply,
  payload: Payload,
  bytesMax: number,
): Promise<{ readonly answer?: KeptAnswer; readonly payload: Payload }> {
  const body = payload instanceof Readable ? await gather(payload, bytesMax) : bytesOf(payload);
  if (body instanceof Readable) return { payload: body };
  if (body.byteLength > bytesMax) return { payload };
  const answer = { status: reply.statusCode, headers: keptHeaders(reply), body };
  return { answer, payload: payload instanceof Readable ? body : payload };
}

function bytesOf(payload: Exclude<Payload, Readable>): Uint8Array {
  if (payload === null || payload === undefined) return Buffer.alloc(0);
  return typeof payload === 'string' ? Buffer.from(payload) : payload;
}

/** All bytes of a stream, or the stream as it was when there are more than may be. */
async function gather(stream: Readable, bytesMax: number): Promise<Uint8Array | Readable> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const rest = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  for (let next = await rest.next(); !next.done; next = await rest.next()) {
    chunks.push(next.value);
    sizeBytes += next.value.byteLength;
    if (sizeBytes > bytesMax) return Readable.from(joined(chunks, rest));
  }
  return Buffer.concat(chunks);
}

async function* joined(chunks: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
  yield* { [Symbol.asyncIterator]: () => rest };
}

function keptHeaders(reply: FastifyReply): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    const isKept = KEPT_HEADERS.has(name) || (name.startsWith('x-') && !OF_ONE_REQUEST.has(name));
    if (isKept && value !== undefined) headers[name] = String(value);
  }
  return headers;
}
