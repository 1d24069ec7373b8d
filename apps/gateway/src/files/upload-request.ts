import type { IncomingHttpHeaders } from 'node:http';
import { parse } from 'content-disposition';
import { DomainError, type ByteStream } from '@millrace/domain';

const FILE_NAME_LENGTH_MAX = 255;
const MEDIA_TYPE_LENGTH_MAX = 255;
const DEFAULT_MEDIA_TYPE = 'application/octet-stream';

/** One member of `Content-Digest`: a name, bytes in base64, and parameters that mean nothing here. */
const DIGEST = /^\s*(?<algorithm>[a-z*][\w.*-]*)=:(?<base64>[A-Za-z0-9+/]*={0,2}):(?:\s*;[^,]*)?\s*$/i;
const SHA_256 = /^[A-Za-z0-9+/]{43}=$/;

export type ContentEncoding = 'gzip' | 'zstd';

/** A map, because every object has members that a client can name: `constructor` is one. */
const ENCODINGS: ReadonlyMap<string, ContentEncoding | null> = new Map([
  ['identity', null],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['zstd', 'zstd'],
]);

/** What a request says about the file it carries. */
export interface FileDescription {
  readonly fileName: string | null;
  readonly contentType: string;
  readonly contentEncoding: ContentEncoding | null;
}

/** One file on its way in. */
export interface IncomingFile extends FileDescription {
  readonly body: ByteStream;
  /** SHA-256 that the client promised, in hexadecimal. */
  readonly expectedHash?: string;
}

/**
 * Reads what the headers of a raw upload, or of a part of a multipart one, say about the file.
 *
 * @throws DomainError `upload.encoding_unsupported`
 */
export function describeFile(headers: IncomingHttpHeaders): FileDescription {
  return {
    fileName: fileNameOf(headers['content-disposition']),
    contentType: cleanMediaType(headers['content-type']),
    contentEncoding: encodingOf(headers['content-encoding']),
  };
}

/** The last part of a name that a client gave, without anything that could do harm in a log or a header. */
export function cleanFileName(name: string | undefined): string | null {
  const last = name?.split(/[/\\]/).at(-1);
  return cleanText(last ?? '', FILE_NAME_LENGTH_MAX) || null;
}

/** The media type that a client gave, likewise. */
export function cleanMediaType(mediaType: string | undefined): string {
  return cleanText(mediaType ?? '', MEDIA_TYPE_LENGTH_MAX) || DEFAULT_MEDIA_TYPE;
}

/** Cut last, because that can leave half of a character. */
function cleanText(text: string, lengthMax: number): string {
  return text
    .replace(/\p{Cc}/gu, '')
    .trim()
    .slice(0, lengthMax)
    .toWellFormed();
}

export function tooLarge(bytesMax: number): DomainError {
  return new DomainError('upload.too_large', `The upload has more than ${bytesMax} bytes, the most that is allowed.`);
}

/** @throws DomainError `upload.encoding_unsupported` */
export function encodingOf(header: string | undefined): ContentEncoding | null {
  const encoding = ENCODINGS.get((header ?? 'identity').trim().toLowerCase());
  if (encoding !== undefined) return encoding;
  throw new DomainError(
    'upload.encoding_unsupported',
    `"Content-Encoding: ${header}" is not supported; send gzip, zstd or the plain file.`,
  );
}

/**
 * The SHA-256 of `Content-Digest` (RFC 9530) in hexadecimal, or undefined when the header names none. Other algorithms
 * are ignored, as the RFC asks.
 *
 * @throws DomainError `request.invalid` when a digest is malformed: whoever sends one wants it verified
 */
export function expectedHashOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const digests = header.split(',').map((member) => DIGEST.exec(member)?.groups);
  if (!digests.every((digest) => digest !== undefined)) throw malformedDigest();
  const base64 = digests.find(({ algorithm }) => algorithm?.toLowerCase() === 'sha-256')?.base64;
  if (base64 === undefined) return undefined;
  if (!SHA_256.test(base64)) throw malformedDigest();
  return Buffer.from(base64, 'base64').toString('hex');
}

function malformedDigest(): DomainError {
  return new DomainError('request.invalid', 'Write "Content-Digest: sha-256=:<the digest in base64>:" (RFC 9530).');
}

function fileNameOf(header: string | undefined): string | null {
  return header === undefined ? null : cleanFileName(parse(header).parameters.filename);
}
