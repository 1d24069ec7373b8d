import { DomainError } from '@millrace/domain';
import type { ConvertRequest, DataFormat } from '../../tasks/convert.task.js';

/** Maps, because the names come from outside: an object has a `constructor`, too. */
const BY_MEDIA_TYPE: ReadonlyMap<string, DataFormat> = new Map(
  Object.entries<DataFormat>({
    'text/csv': 'csv',
    'application/csv': 'csv',
    'text/tab-separated-values': 'csv',
    'application/json': 'json',
    'application/x-ndjson': 'json',
    'application/ndjson': 'json',
    'application/jsonl': 'json',
    'application/x-jsonlines': 'json',
    'application/vnd.apache.parquet': 'parquet',
    'application/x-parquet': 'parquet',
  }),
);

const BY_EXTENSION: ReadonlyMap<string, DataFormat> = new Map(
  Object.entries<DataFormat>({
    csv: 'csv',
    tsv: 'csv',
    txt: 'csv',
    json: 'json',
    ndjson: 'json',
    jsonl: 'json',
    parquet: 'parquet',
    pq: 'parquet',
  }),
);

/**
 * The format of a file: as given, else by content type, file name, and the first bytes.
 *
 * @param head the first bytes, decompressed; of a text in UTF-16, as UTF-8
 * @throws DomainError `conversion.format_unknown`
 */
export function detectFormat({ format, contentType, fileName }: ConvertRequest, head: Buffer): DataFormat {
  return format ?? byMediaType(contentType) ?? byExtension(fileName) ?? byBytes(head);
}

function byMediaType(contentType = ''): DataFormat | undefined {
  return BY_MEDIA_TYPE.get(contentType.split(';')[0]?.trim().toLowerCase() ?? '');
}

function byExtension(fileName = ''): DataFormat | undefined {
  const [, extension = ''] = /\.([^.]+)$/.exec(fileName.toLowerCase().replace(/\.(gz|gzip|zst|zstd)$/, '')) ?? [];
  return BY_EXTENSION.get(extension);
}

function byBytes(head: Buffer): DataFormat {
  if (head.subarray(0, 4).toString('latin1') === 'PAR1') return 'parquet';
  const text = head
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart();
  if (/^(\{|\[\s*[[{\]\d"-])/.test(text)) return 'json';
  // The last character may be cut.
  if (head.includes(0) || (text.slice(0, -4).includes('\ufffd') && !isSingleByteText(head))) {
    throw new DomainError(
      'conversion.format_unknown',
      'The bytes are none of the formats that can be read: CSV, JSON and Parquet, plain or packed with gzip or zstd.',
    );
  }
  return 'csv';
}

const windows1252 = new TextDecoder('windows-1252');

/** Whether bytes that are not UTF-8 may be a text all the same: without a control character but white space. */
function isSingleByteText(head: Buffer): boolean {
  return !/(?!\s)\p{Cc}/u.test(windows1252.decode(head));
}
