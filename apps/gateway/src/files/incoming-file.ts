import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { DomainError } from '@millrace/domain';
import { withTimeLimits } from '@millrace/http';
import { FORM_BYTES_MAX, openMultipart } from './multipart.js';
import { describeFile, expectedHashOf, tooLarge, type IncomingFile } from './upload-request.js';

export interface FileLimits {
  readonly bytesMax: number;
  /** The longest pause between two chunks, and in a form until the file begins. */
  readonly idleMs: number;
}

/**
 * The file of a request: its raw body, or the one file of a form. Nothing of it is read yet when its length says that it
 * is too large.
 *
 * @throws DomainError `upload.empty`, `upload.too_large`, `upload.encoding_unsupported`, `request.invalid` and what a
 * form can be
 */
export async function openFile(request: FastifyRequest, { bytesMax, idleMs }: FileLimits): Promise<IncomingFile> {
  const { headers } = request;
  const stream = request.body as Readable | undefined;
  if (!stream) throw new DomainError('upload.empty', 'Send the file as the body of the request.');
  const isForm = /^multipart\/form-data\b/i.test(headers['content-type'] ?? '');
  const expectedHash = expectedHashOf(headerText(headers['content-digest']));
  if (isForm && expectedHash !== undefined) {
    const detail = 'Content-Digest is verified for raw bodies only; send the file as the body.';
    throw new DomainError('request.invalid', detail);
  }
  const announcedBytes = Number(headers['content-length'] ?? 0);
  if (announcedBytes > bytesMax + (isForm ? FORM_BYTES_MAX : 0)) throw tooLarge(bytesMax);
  const description = isForm ? undefined : describeFile(headers);
  const body = withTimeLimits(stream, { idleMs, code: 'upload.interrupted' });
  if (!description) return openMultipart(headers, body, { bytesMax, beginMs: idleMs });
  return { ...description, body, ...(expectedHash !== undefined && { expectedHash }) };
}

function headerText(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header;
}
