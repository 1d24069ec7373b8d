import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';

/** The most rows one page may have, whatever a caller asks for. */
export const PAGE_ROWS_MAX = 1_000;

export interface PageRequest<Id extends string> {
  readonly limit: number;
  /** Only things with a smaller id: the last id of the page before. */
  readonly before?: Id | undefined;
}

/** Newest first. Stable while rows are inserted: new ones have greater ids than every page already given. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly hasMore: boolean;
}

/** Runs a query for one page; the alias of the paged entity is `row`. */
export async function pageOf<E extends ObjectLiteral, Id extends string>(
  query: SelectQueryBuilder<E>,
  { limit, before }: PageRequest<Id>,
): Promise<Page<E>> {
  if (before !== undefined) query.andWhere('row.id < :before', { before });
  const rows = await query
    .orderBy('row.id', 'DESC')
    .limit(pageRows(limit) + 1)
    .getMany();
  return cutPage(rows, limit);
}

/** How many rows a page may have: at least one, at most `PAGE_ROWS_MAX`. */
export function pageRows(limit: number): number {
  return Math.min(Math.max(1, Math.trunc(limit)), PAGE_ROWS_MAX);
}

/** A page of rows that were read with one more than the page holds. */
export function cutPage<T>(rows: readonly T[], limit: number): Page<T> {
  const size = pageRows(limit);
  return { items: rows.slice(0, size), hasMore: rows.length > size };
}
