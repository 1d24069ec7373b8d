import { DomainError, isId, type Id, type IdKind } from '@millrace/domain';

/** A page of a list as the catalog gives it. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly hasMore: boolean;
}

/** What every list carries beside its items, in the contract's words. */
export interface PageFields {
  readonly has_more: boolean;
  readonly next_cursor: string | null;
}

/**
 * An opaque cursor. Lists go by descending id, so the last id of a page is the place to go on: rows that are inserted
 * meanwhile are newer and move nothing.
 */
export function encodeCursor(position: string | number): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** @throws DomainError `cursor.invalid` */
export function decodeIdCursor<K extends IdKind>(kind: K, cursor: string | undefined): Id<K> | undefined {
  if (cursor === undefined) return undefined;
  const position = decodeCursor(cursor);
  if (typeof position === 'string' && isId(kind, position)) return position;
  throw invalidCursor();
}

/**
 * The cursor of a list that is counted, such as the rows of a result: how many come before.
 *
 * @throws DomainError `cursor.invalid`
 */
export function decodeOffsetCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const position = decodeCursor(cursor);
  if (typeof position === 'number' && Number.isSafeInteger(position) && position >= 0) return position;
  throw invalidCursor();
}

/** `has_more` and `next_cursor` of a page whose items have ids. */
export function pageFields(page: Page<{ readonly id: string }>): PageFields {
  const last = page.items.at(-1);
  return { has_more: page.hasMore, next_cursor: page.hasMore && last ? encodeCursor(last.id) : null };
}

/**
 * The `Link` header to the next page, or undefined on the last.
 *
 * @param url path and query of this page
 */
export function nextPageLink(url: string, fields: PageFields): string | undefined {
  if (!fields.next_cursor) return undefined;
  const next = new URL(url, 'http://localhost');
  next.searchParams.set('cursor', fields.next_cursor);
  return `<${next.pathname}${next.search}>; rel="next"`;
}

function decodeCursor(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw invalidCursor();
  }
}

function invalidCursor(): DomainError {
  return new DomainError('cursor.invalid', 'Use the next_cursor of an earlier page of the same list, unchanged.');
}
