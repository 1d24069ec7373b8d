import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { DomainError } from '@millrace/domain';
import type { JsonValue } from '../tasks/json-value.js';
import { bindParams, type BoundParams } from './bind-params.js';

type NamedValues = { readonly [name: string]: JsonValue };

/** Names of types, with precision and scale where there are any: nothing else gets into a statement. */
const TYPE = /^[A-Z][A-Z ]*(?:\(\d{1,2},\d{1,2}\))?$/;
const WHOLE_TYPE = /^U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?$/;
const WHOLE_TEXT = /^\s*[+-]?\d+\s*$/;

/**
 * Named parameters as values of the types that were declared for them, as a CAST makes them; those without a type stay as
 * they are.
 *
 * @throws DomainError `params.invalid` for a value that is none of its type
 */
export async function castParams(
  { values, types }: { readonly values: NamedValues; readonly types: { readonly [name: string]: string } },
  connection: DuckDBConnection,
): Promise<{ readonly values: Record<string, DuckDBValue>; readonly types: Record<string, DuckDBType> }> {
  const cast = { values: {} as Record<string, DuckDBValue>, types: {} as Record<string, DuckDBType> };
  for (const [name, value] of Object.entries(values)) {
    const bound = await castOne({ name, value, type: types[name] }, connection);
    cast.values[name] = bound.value;
    cast.types[name] = bound.type;
  }
  return cast;
}

async function castOne(
  { name, value, type }: { readonly name: string; readonly value: JsonValue; readonly type: string | undefined },
  connection: DuckDBConnection,
): Promise<{ readonly value: DuckDBValue; readonly type: DuckDBType }> {
  if (type !== undefined && !TYPE.test(type)) throw new Error(`No type of a parameter: ${type}`);
  // A CAST would round it.
  if (type !== undefined && WHOLE_TYPE.test(type) && !isWhole(value)) throw invalid(name, value, type);
  const statement = type === undefined ? 'SELECT $1' : `SELECT CAST($1 AS ${type})`;
  try {
    const prepared = await connection.prepare(statement);
    const bound: BoundParams = bindParams([value], prepared);
    const reader = await connection.runAndReadAll(statement, bound.values, bound.types);
    const [row = [null]] = reader.getRows();
    return { value: row[0] ?? null, type: reader.columnType(0) };
  } catch (error) {
    if (error instanceof DomainError || type === undefined) throw error;
    throw invalid(name, value, type, error);
  }
}

function isWhole(value: JsonValue): boolean {
  if (typeof value === 'number') return Number.isInteger(value);
  return typeof value !== 'string' || WHOLE_TEXT.test(value);
}

function invalid(name: string, value: JsonValue, type: string, cause?: unknown): DomainError {
  const shown = JSON.stringify(value).slice(0, 100);
  return new DomainError('params.invalid', `The parameter $${name} is no ${type}: ${shown}.`, { cause });
}
