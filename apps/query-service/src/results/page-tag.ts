import { createHash } from 'node:crypto';
import type { Result } from '@millrace/catalog';
import type { RowFormat } from '@millrace/contract';

/** To be raised when the same page has other bytes than before. */
const PAGE_VERSION = 1;

/** What a page of a result depends on, beside the result. */
export interface TaggedPage {
  readonly offset: number;
  readonly limit: number;
  readonly format: RowFormat;
  readonly answerBytesMax: number;
}

/** A strong entity tag of a page (RFC 9110, 8.8.3), quotes included. Rows never change; until when they are kept may. */
export function pageTag(result: Result, { offset, limit, format, answerBytesMax }: TaggedPage): string {
  const { id, contentHash, columns, expiresAt } = result;
  const parts = [PAGE_VERSION, id, contentHash, columns, expiresAt, offset, limit, format, answerBytesMax];
  return `"${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}"`;
}
