import type { IncomingHttpHeaders } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { DomainError, type ByteStream } from '@millrace/domain';
import { cleanFileName, cleanMediaType, tooLarge, type IncomingFile } from './upload-request.js';

const FIELDS_MAX = 20;
const FIELD_BYTES_MAX = 64 * 1024;

/** What may stand beside the file: the fields, which are ignored, and the lines between the parts. */
export const FORM_BYTES_MAX = 2 * 1024 * 1024;

/** In these, the bytes of a part are what they are. */
const PLAIN_TRANSFER_ENCODINGS: ReadonlySet<string> = new Set(['', '7bit', '8bit', 'binary']);

export interface FormLimits {
  /** Of the file. */
  readonly bytesMax: number;
  /** How long it may take until the file begins. */
  readonly beginMs: number;
}

/**
 * Opens a `multipart/form-data` body with exactly one file. Resolves at the head of the file, whose bytes stream from
 * there; other fields are ignored.
 *
 * @param body with a time limit of its own
 * @throws DomainError `request.invalid` when there is no file, or no multipart; `request.too_large`,
 * `upload.interrupted`. The stream throws what comes later, such as a second file
 */
export function openMultipart(
  headers: IncomingHttpHeaders,
  body: ByteStream,
  limits: FormLimits,
): Promise<IncomingFile> {
  return new Form(parserFor(headers), body, limits).file;
}

class Form {
  private readonly opened = Promise.withResolvers<IncomingFile>();
  private readonly ended = Promise.withResolvers<void>();
  private readonly fileBytes = new PassThrough();
  private readonly source: Readable;
  private hasFile = false;

  constructor(
    private readonly parser: BusboyInstance,
    body: ByteStream,
    limits: FormLimits,
  ) {
    this.source = Readable.from(this.bounded(body, limits.bytesMax));
    const late = setTimeout(() => this.fail(interrupted(limits.beginMs)), limits.beginMs);
    // Whoever waits for the file hears of the failure; nobody may be waiting for the rest, or reading the bytes.
    this.ended.promise.catch(() => undefined);
    this.fileBytes.on('error', () => undefined);
    this.opened.promise.catch(() => undefined).finally(() => clearTimeout(late));
    parser.once('finish', () => this.finish());
    parser.on('error', (cause) => this.fail(malformed(cause)));
    parser.on('file', (_field, bytes, fileName, transferEncoding, mediaType) => {
      bytes.on('error', (cause) => this.fail(malformed(cause)));
      this.takeFile(bytes, { fileName, transferEncoding, mediaType });
    });
    this.source.on('error', (error) => this.fail(error));
    this.source.pipe(parser);
  }

  get file(): Promise<IncomingFile> {
    return this.opened.promise;
  }

  private takeFile(bytes: Readable, head: { fileName: string; transferEncoding: string; mediaType: string }): void {
    const encoding = head.transferEncoding.trim().toLowerCase();
    if (this.hasFile) return this.fail(invalid('Send one file per request; this one has several.'));
    if (!PLAIN_TRANSFER_ENCODINGS.has(encoding)) {
      const shown = encoding.slice(0, 40);
      return this.fail(invalid(`A file in ${shown} is not supported; send its bytes as they are, without encoding.`));
    }
    this.hasFile = true;
    bytes.pipe(this.fileBytes);
    const [fileName, contentType] = [cleanFileName(head.fileName), cleanMediaType(head.mediaType)];
    this.opened.resolve({ fileName, contentType, contentEncoding: null, body: this.wholeFile() });
  }

  /** The bytes of the file, and after them a look at what followed: the file counts only if the whole form is good. */
  private async *wholeFile(): AsyncGenerator<Uint8Array> {
    yield* this.fileBytes as AsyncIterable<Uint8Array>;
    await this.ended.promise;
  }

  private async *bounded(body: ByteStream, bytesMax: number): AsyncGenerator<Uint8Array> {
    let sizeBytes = 0;
    for await (const chunk of body) {
      sizeBytes += chunk.length;
      if (!this.hasFile && sizeBytes > FORM_BYTES_MAX) {
        throw new DomainError(
          'request.too_large',
          `Within ${FORM_BYTES_MAX} bytes the form has no file. Send it first.`,
        );
      }
      if (sizeBytes > bytesMax + FORM_BYTES_MAX) throw tooLarge(bytesMax);
      yield chunk;
    }
  }

  private finish(): void {
    this.opened.reject(invalid('The form has no file.'));
    this.ended.resolve();
  }

  /** Only the first failure counts; what follows from it is noise. */
  private fail(error: unknown): void {
    this.ended.reject(error);
    this.opened.reject(error);
    this.fileBytes.destroy(error instanceof Error ? error : new Error(String(error)));
    this.source.unpipe(this.parser);
    this.source.destroy();
  }
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

function malformed(cause: unknown): DomainError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new DomainError('request.invalid', `The form is malformed: ${reason}.`, { cause });
}

function invalid(detail: string): DomainError {
  return new DomainError('request.invalid', detail);
}

function interrupted(beginMs: number): DomainError {
  return new DomainError(
    'upload.interrupted',
    `The file of the form did not begin within ${beginMs} ms. Send it again.`,
  );
}
