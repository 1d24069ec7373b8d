import { sourcesOf, type Lifecycle } from '@millrace/domain';
import type { EntitySchema, ObjectLiteral, UpdateQueryBuilder } from 'typeorm';
import type { QueryDeepPartialEntity } from 'typeorm/query-builder/QueryPartialEntity.js';
import type { Transaction } from './database.js';
import type { SqlExpression } from './sql.js';

/** Values for columns, by property; a function is SQL. */
export type Changes<E> = { readonly [P in keyof E]?: E[P] | SqlExpression };

export interface Transition<E extends ObjectLiteral & { readonly status: S }, S extends string> {
  readonly entity: EntitySchema<E>;
  readonly lifecycle: Lifecycle<S>;
  /** Which row: its key, and whatever else must hold. */
  readonly where: { readonly [P in keyof E]?: E[P] };
  readonly to: S;
  /** Fewer states to come from than the lifecycle allows. */
  readonly from?: readonly S[];
  readonly set?: Changes<Omit<E, 'status'>>;
}

/**
 * Moves a row to another state, if its lifecycle allows that from the state it is in. Every change of the status of one row
 * goes through here; statements that take a set of rows at once name the states they come from.
 *
 * @returns false when there is no such row in one of the source states: somebody else was faster
 */
export async function transition<E extends ObjectLiteral & { readonly status: S }, S extends string>(
  transaction: Transaction,
  moved: Transition<E, S>,
): Promise<boolean> {
  const done = await updateOf(transaction, moved).execute();
  return (done.affected ?? 0) > 0;
}

/**
 * Like `transition`, and reads from the row that was moved, in the same statement.
 *
 * @param properties those whose columns are called as they are
 * @returns undefined where `transition` gives false
 */
export async function transitionReading<
  E extends ObjectLiteral & { readonly status: S },
  S extends string,
  P extends keyof E & string,
>(
  transaction: Transaction,
  moved: Transition<E, S>,
  properties: readonly P[],
): Promise<Readonly<Pick<E, P>> | undefined> {
  const { raw } = await updateOf(transaction, moved)
    .returning([...properties])
    .execute();
  return (raw as Pick<E, P>[])[0];
}

function updateOf<E extends ObjectLiteral & { readonly status: S }, S extends string>(
  transaction: Transaction,
  { entity, lifecycle, where, to, from, set }: Transition<E, S>,
): UpdateQueryBuilder<E> {
  const allowed = sourcesOf(lifecycle, to);
  const sources = from ?? allowed;
  const forbidden = sources.find((source) => !allowed.includes(source));
  if (forbidden !== undefined) throw new TypeError(`a ${lifecycle.name} can't go from ${forbidden} to ${to}`);
  if (sources.length === 0) throw new TypeError(`nothing leads a ${lifecycle.name} to ${to}`);
  return transaction
    .createQueryBuilder()
    .update(entity)
    .set({ ...set, status: to } as unknown as QueryDeepPartialEntity<E>)
    .where(where as ObjectLiteral)
    .andWhere('status IN (:...sources)', { sources });
}

/** Inserts one row; what is not given has the table's default. */
export async function insertRow<E extends ObjectLiteral>(
  transaction: Transaction,
  entity: EntitySchema<E>,
  values: Changes<E>,
): Promise<void> {
  await transaction
    .createQueryBuilder()
    .insert()
    .into(entity)
    .values(values as unknown as QueryDeepPartialEntity<E>)
    .updateEntity(false)
    .execute();
}

/** Changes one row without touching its status. Returns whether there was such a row. */
export async function updateRow<E extends ObjectLiteral>(
  transaction: Transaction,
  entity: EntitySchema<E>,
  { where, set }: { where: { readonly [P in keyof E]?: E[P] }; set: Changes<Omit<E, 'status'>> },
): Promise<boolean> {
  const done = await transaction
    .createQueryBuilder()
    .update(entity)
    .set(set as unknown as QueryDeepPartialEntity<E>)
    .where(where as ObjectLiteral)
    .execute();
  return (done.affected ?? 0) > 0;
}
