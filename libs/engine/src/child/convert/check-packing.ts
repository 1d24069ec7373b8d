import type { Compression, ConvertRequest } from '../../tasks/convert.task.js';
import { conversionFailed } from './conversion-error.js';

/**
 * What the uploader said about the compression must be true: a broken packing is never read as text.
 *
 * @throws DomainError `conversion.failed`
 */
export function checkPacking({ contentEncoding = '', fileName = '' }: ConvertRequest, found: Compression): void {
  const encoding = contentEncoding.trim().toLowerCase();
  const said =
    encoding === 'gzip' || encoding === 'x-gzip' || /\.(gz|gzip)$/i.test(fileName)
      ? 'gzip'
      : encoding === 'zstd' || /\.(zst|zstd)$/i.test(fileName)
        ? 'zstd'
        : undefined;
  if (said !== undefined && found === 'none') {
    throw conversionFailed(`The file is said to be packed with ${said}, but its bytes are not.`);
  }
}
