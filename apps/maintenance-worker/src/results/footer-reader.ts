import { type ByteRange, DomainError, type ObjectStore } from '@millrace/domain';
import { notParquet, parseFooter, type ParquetFooter } from './parquet-footer.js';

const MAGIC = 'PAR1';
/** At the very end: the footer's length (4 bytes, little-endian) and the magic. */
const TAIL_BYTES = 8;
/** Some 300,000 column chunks. */
const FOOTER_BYTES_MAX = 32 * 1024 * 1024;

/**
 * Reads the footer of a Parquet file in the store: two ranges, whatever the size of the file.
 *
 * @throws DomainError `result.corrupt` when it is no Parquet file; `query.result_too_large` when the footer is too large
 *   to be looked at; what the store throws
 */
export async function readFooter(
  store: ObjectStore,
  { storageKey, sizeBytes }: { readonly storageKey: string; readonly sizeBytes: number },
  signal: AbortSignal,
): Promise<ParquetFooter> {
  const read = async (range: ByteRange): Promise<Buffer> =>
    collect(await store.get(storageKey, { range, signal }), range.end - range.start + 1);
  const tailStart = sizeBytes - TAIL_BYTES;
  if (tailStart < MAGIC.length) throw notParquet();
  const tail = await read({ start: tailStart, end: sizeBytes - 1 });
  const footerBytes = tail.readUInt32LE(0);
  const footerStart = tailStart - footerBytes;
  const isParquet = tail.toString('latin1', TAIL_BYTES - MAGIC.length) === MAGIC;
  if (!isParquet || footerBytes === 0 || footerStart < MAGIC.length) throw notParquet();
  if (footerBytes > FOOTER_BYTES_MAX) {
    throw new DomainError('query.result_too_large', 'The result has too many columns and row groups to be kept.');
  }
  return parseFooter(await read({ start: footerStart, end: tailStart - 1 }));
}

async function collect(chunks: AsyncIterable<Uint8Array>, bytesWanted: number): Promise<Buffer> {
  const collected: Uint8Array[] = [];
  for await (const chunk of chunks) collected.push(chunk);
  const bytes = Buffer.concat(collected);
  if (bytes.length !== bytesWanted) throw notParquet();
  return bytes;
}
