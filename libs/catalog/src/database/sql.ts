import type { Transaction } from './database.js';

/** A piece of SQL in the place of a value, as TypeORM takes it. Never made from anything a caller sent as text. */
export type SqlExpression = () => string;

/** Runs a statement of plain SQL and gives its rows, also those of `RETURNING`. */
export async function rowsOf<R>(transaction: Transaction, text: string, values: readonly unknown[] = []): Promise<R[]> {
  const answer: unknown = await transaction.query(text, [...values]);
  // For UPDATE and DELETE TypeORM gives [rows, count]; rows themselves are never arrays.
  const rows = Array.isArray(answer) && Array.isArray(answer[0]) ? answer[0] : answer;
  return rows as R[];
}

/** The first row of a statement, if it gives any. */
export async function findRow<R>(
  transaction: Transaction,
  text: string,
  values: readonly unknown[] = [],
): Promise<R | undefined> {
  const [row] = await rowsOf<R>(transaction, text, values);
  return row;
}

/** A time from now on the database's clock: the only clock that leases and delays are measured by. */
export function fromNow(ms: number): SqlExpression {
  if (!Number.isFinite(ms)) throw new TypeError(`not a duration: ${ms}`);
  return () => `now() + interval '${Math.round(ms)} milliseconds'`;
}

export const NOW: SqlExpression = () => 'now()';

/** The text as a pattern for `LIKE … ESCAPE '\'` that matches only itself. */
export function likeLiteral(text: string): string {
  return text.replace(/[\\%_]/g, (special) => `\\${special}`);
}
