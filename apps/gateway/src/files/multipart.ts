import type { IncomingHttpHeaders } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { DomainError, type ByteStream } from '@millrace/domain';
import { cleanFileName, type IncomingFile } from './upload-request.js';

const FIELDS_MAX = 20;
const FIELD_BYTES_MAX = 64 * 1024;

/**
 * Opens a `multipart/form-data` body with exactly one file. Resolves at the head of the file, whose bytes stream from
 * there; other fields are ignored.
 *
 * @throws DomainError `request.invalid` when there is no file, or no multipart; the stream throws it when a second
 * file follows
 */
export function openMultipart(headers: IncomingHttpHeaders, body: Readable): Promise<IncomingFile> {
  return new Promise((resolve, reject) => {
    const parser = parserFor(headers);
    const ended = new Promise<void>((done, failed) => {
      parser.once('finish', done);
      parser.on('error', (cause) => failed(malformed(cause)));
      body.once('error', failed);
    });
    let files = 0;
    parser.on('file', (_field, stream, fileName, transferEncoding, mediaType) => {
      files += 1;
      if (files > 1 || transferEncoding === 'base64') return void stream.resume();
      const fileBody = wholeFile(detached(stream, parser), async () => {
        await ended;
        if (files > 1) throw new DomainError('request.invalid', 'Send one file per request; this one has several.');
      });
      resolve({ fileName: cleanFileName(fileName), contentType: mediaType, contentEncoding: null, body: fileBody });
    });
    ended.then(() => reject(new DomainError('request.invalid', 'The form has no file.')), reject);
    body.pipe(parser);
  });
}

function parserFor(headers: IncomingHttpHeaders): BusboyInstance {
  try {
    return new Busboy({
      headers: { ...headers, 'content-type': headers['content-type'] ?? '' },
      limits: { fields: FIELDS_MAX, fieldSize: FIELD_BYTES_MAX },
    });
  } catch (cause) {
    throw malformed(cause);
  }
}

/** The stream of a part reports a broken form at any time, also when nobody reads it: this one ends with the form. */
function detached(stream: Readable, parser: BusboyInstance): Readable {
  const bytes = new PassThrough();
  const fail = (cause: unknown): void => void bytes.destroy(malformed(cause));
  stream.on('error', fail);
  parser.on('error', fail);
  bytes.on('error', () => undefined);
  return stream.pipe(bytes);
}

/** The bytes of the file, and after them a look at what followed: the file counts only if the whole form is good. */
async function* wholeFile(stream: Readable, checkRest: () => Promise<void>): ByteStream & AsyncGenerator<Uint8Array> {
  yield* stream as AsyncIterable<Uint8Array>;
  await checkRest();
}

function malformed(cause: unknown): DomainError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new DomainError('request.invalid', `The form is malformed: ${reason}.`, { cause });
}
