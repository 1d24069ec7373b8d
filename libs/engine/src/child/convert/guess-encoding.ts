import { ByteCensus } from './byte-census.js';
import { conversionFailed } from './conversion-error.js';
import { filePieces } from './file-pieces.js';
import type { NotUtf8Error } from './not-utf8-error.js';

/**
 * Finds out what a text is that nobody said anything about and that is not UTF-8.
 *
 * @throws DomainError `conversion.failed` when it is nearly UTF-8, and so a broken one, or nothing that is known
 */
export async function guessEncoding(
  path: string,
  { place }: NotUtf8Error,
  signal: AbortSignal,
): Promise<'windows-1252'> {
  const census = new ByteCensus();
  for await (const piece of filePieces(path, signal)) census.observe(piece);
  census.finish();
  const { sequenceCount, strayCount } = census;
  if (census.isMostlyUtf8) {
    const found = `${sequenceCount} of its characters beyond ASCII are UTF-8, ${strayCount} of its bytes are not`;
    throw conversionFailed(
      `The text is not UTF-8 throughout: ${found}. Mend it, or say with "encoding" what it is.`,
      place,
    );
  }
  if (!census.isWindows1252) {
    throw conversionFailed(
      'The text is neither UTF-8 nor Windows-1252. Say with "encoding" what it is, or convert it to UTF-8.',
      place,
    );
  }
  return 'windows-1252';
}
