import { createHash } from 'node:crypto';

/** The file that a version is converted from. */
export interface ConvertedSource {
  /** Content that came with the request is known to be text. */
  readonly isInline: boolean;
  readonly contentHash: string;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  readonly fileName: string | null;
}

/** What the name of a file says about its format and its compression. */
const EXTENSIONS = /(?:\.[^.]+)?\.(?:gz|gzip|zst|zstd)$|\.[^.]+$/;

/**
 * What a conversion starts from, as SHA-256 in hexadecimal: the bytes, what decides their format, and how they are read.
 *
 * @param readingKey how they are read, and by which converter
 */
export function conversionKey(source: ConvertedSource, readingKey: string): string {
  const { isInline, contentHash, contentType, contentEncoding, fileName } = source;
  const [extension = ''] = EXTENSIONS.exec(fileName?.toLowerCase() ?? '') ?? [];
  const parts = [readingKey, isInline, contentHash, contentType, contentEncoding, extension];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
