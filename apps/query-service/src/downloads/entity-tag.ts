import { createHash } from 'node:crypto';
import type { TableFormat } from '@millrace/contract';
import type { DownloadTable } from './download-table.js';

/** To be raised when the same table gives other bytes in a format than before. */
const ENCODING_VERSION = 1;

/** A strong entity tag of a table in a format (RFC 9110, 8.8.3), quotes included. Parquet is the stored file itself. */
export function entityTagOf({ files, columns }: Pick<DownloadTable, 'files' | 'columns'>, format: TableFormat): string {
  const hashes = files.map(({ contentHash }) => contentHash);
  if (format === 'parquet') return `"${hashes.join('.')}"`;
  const encoded = JSON.stringify([ENCODING_VERSION, format, hashes, columns]);
  return `"${createHash('sha256').update(encoded).digest('hex')}"`;
}

/** Whether `If-None-Match` names a tag: weak comparison, as it asks for (RFC 9110, 13.1.2). */
export function isNamed(tag: string, header: string | undefined): boolean {
  const named = (header ?? '').split(',').map((each) => each.trim().replace(/^W\//, ''));
  return named.includes(tag) || named.includes('*');
}

/** Whether `If-Range` lets a range be sent: strong comparison (RFC 9110, 13.1.5). A date never does; we send none. */
export function allowsRange(tag: string, header: string | undefined): boolean {
  return header === undefined || header.trim() === tag;
}
