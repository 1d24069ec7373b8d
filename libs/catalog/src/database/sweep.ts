import type { Database, Transaction } from './database.js';

/** Rows that one run of a sweeper deals with at most. */
export const SWEEP_ROWS_MAX = 100;

export interface Sweep<Row, Outcome> {
  /** Finds what is overdue, without locks. */
  readonly find: (manager: Transaction) => Promise<Row[]>;
  /** Ends one of them if it is still overdue once it is locked; undefined when it is not. */
  readonly end: (transaction: Transaction, row: Row) => Promise<Outcome | undefined>;
}

/**
 * Ends what is overdue, each row in a transaction of its own, so that one that can't be ended does not keep the others.
 *
 * @throws AggregateError after the round, when some could not be ended
 */
export async function sweep<Row, Outcome>(database: Database, { find, end }: Sweep<Row, Outcome>): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const errors: unknown[] = [];
  for (const row of await database.run(find)) {
    try {
      const outcome = await database.transaction((transaction) => end(transaction, row));
      if (outcome !== undefined) outcomes.push(outcome);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} overdue rows could not be ended`);
  return outcomes;
}
