import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { disconnectSignal } from '../disconnect-signal.js';
import { UnsatisfiableRangeError } from './byte-range.js';
import type { Download } from './download.js';
import type { DownloadRequest } from './downloads.service.js';

/** What of a request a download depends on. */
export function downloadRequest(
  request: FastifyRequest,
  { reply, format }: { readonly reply: FastifyReply; readonly format: DownloadRequest['format'] },
): DownloadRequest {
  const { accept, range, 'if-none-match': ifNoneMatch, 'if-range': ifRange } = request.headers;
  const conditions = { range, ifNoneMatch, ifRange: ifRange === undefined ? undefined : String(ifRange) };
  return { format, accept, conditions, isHead: request.method === 'HEAD', signal: disconnectSignal(reply) };
}

/** Sends a download when it can begin. */
export async function sendDownload(reply: FastifyReply, opened: Promise<Download>): Promise<void> {
  // Also of what is refused: another `Accept` may not be.
  void reply.header('vary', 'accept');
  const { status, headers, body } = await opened.catch((error: unknown) => {
    if (error instanceof UnsatisfiableRangeError) void reply.header('content-range', `bytes */${error.sizeBytes}`);
    throw error;
  });
  // Without a stream Fastify would say that there are 0 bytes, also where it is asked how many there would be.
  await reply
    .status(status)
    .headers(headers)
    .send(status === 304 ? undefined : (body ?? Readable.from([])));
}
