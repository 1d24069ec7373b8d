import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBPreparedStatement,
  type DuckDBType,
  type DuckDBValue,
  INTEGER,
  LIST,
  listValue,
  SQLNULL,
  VARCHAR,
} from '@duckdb/node-api';
import { DomainError } from '@millrace/domain';
import type { JsonValue } from '../tasks/json-value.js';
import type { QueryRequest } from '../tasks/query.task.js';

/** Of a statement's parameters in a sentence. */
const NAMES_SHOWN_MAX = 10;

/** Values and types as `connection.run` takes them; neither for a statement without parameters. */
export interface BoundParams {
  readonly values: DuckDBValue[] | Record<string, DuckDBValue> | undefined;
  readonly types: DuckDBType[] | Record<string, DuckDBType> | undefined;
}

/**
 * The caller's parameters, checked against those of the statement.
 *
 * @throws DomainError `params.invalid` when they don't fit
 */
export function bindParams(params: QueryRequest['params'], prepared: DuckDBPreparedStatement): BoundParams {
  const names = Array.from({ length: prepared.parameterCount }, (_, index) => nameAt(prepared, index + 1));
  const isPositional = names.every((name) => /^\d+$/.test(name));
  if (names.length === 0 && isEmpty(params)) return { values: undefined, types: undefined };
  if (params === undefined)
    throw invalid(`${needs(names)}: give ${names.length === 1 ? 'its value' : 'their values'} in "params".`);
  if (isArray(params)) {
    if (!isPositional)
      throw invalid(`The statement has named parameters (${listed(names)}): give "params" as an object.`);
    if (params.length !== names.length)
      throw invalid(`${needs(names)}, and "params" has ${params.length} ${params.length === 1 ? 'value' : 'values'}.`);
    return { values: params.map(toValue), types: params.map(typeOf) };
  }
  if (isPositional && names.length > 0)
    throw invalid('The statement has numbered parameters: give "params" as an array.');
  return bindNamed(params, names);
}

/** The client throws a bare RangeError for a number that the statement leaves out. */
function nameAt(prepared: DuckDBPreparedStatement, index: number): string {
  try {
    return prepared.parameterName(index);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalid(`Parameters are numbered without gaps, and the statement has no $${index}.`);
  }
}

function needs(names: readonly string[]): string {
  const count = names.length === 0 ? 'no' : names.length;
  return `The statement has ${count} ${names.length === 1 ? 'parameter' : 'parameters'}`;
}

function listed(names: readonly string[]): string {
  const more = names.length > NAMES_SHOWN_MAX ? ', …' : '';
  return `$${names.slice(0, NAMES_SHOWN_MAX).join(', $')}${more}`;
}

function bindNamed(params: { readonly [name: string]: JsonValue }, names: readonly string[]): BoundParams {
  const unknown = Object.keys(params).filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    const hint = names.length === 0 ? '' : ` It has ${listed(names)}.`;
    throw invalid(`The statement has no parameter ${listed(unknown)}.${hint}`);
  }
  const entries = names.map((name): [string, JsonValue] => {
    const value = Object.hasOwn(params, name) ? params[name] : undefined;
    if (value === undefined) throw invalid(`The parameter $${name} is missing.`);
    return [name, value];
  });
  return {
    values: Object.fromEntries(entries.map(([name, value]) => [name, toValue(value)])),
    types: Object.fromEntries(entries.map(([name, value]) => [name, typeOf(value)])),
  };
}

function toValue(value: JsonValue): DuckDBValue {
  if (value === null || typeof value !== 'object') return typeOf(value) === BIGINT ? BigInt(Number(value)) : value;
  if (!isArray(value)) throw invalid('A parameter can not be an object; give its JSON text and cast it in SQL.');
  const element = elementType(value);
  return listValue(
    value.map((item) => (item === null ? null : element === BIGINT ? BigInt(Number(item)) : (item as DuckDBValue))),
  );
}

function typeOf(value: JsonValue): DuckDBType {
  if (value === null) return SQLNULL;
  if (typeof value === 'boolean') return BOOLEAN;
  if (typeof value === 'string') return VARCHAR;
  if (typeof value === 'number') return numberType(value);
  if (!isArray(value)) throw invalid('A parameter can not be an object; give its JSON text and cast it in SQL.');
  return LIST(elementType(value));
}

function numberType(value: number): DuckDBType {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return DOUBLE;
  return Math.abs(value) < 2 ** 31 ? INTEGER : BIGINT;
}

/** All elements of a list have one type: the widest of their numbers. */
function elementType(items: readonly JsonValue[]): DuckDBType {
  const present = items.filter((item) => item !== null);
  if (present.length === 0) return VARCHAR;
  if (present.every((item) => typeof item === 'string')) return VARCHAR;
  if (present.every((item) => typeof item === 'boolean')) return BOOLEAN;
  if (present.every((item) => typeof item === 'number')) return present.every(Number.isSafeInteger) ? BIGINT : DOUBLE;
  throw invalid('The elements of a list parameter must be all strings, all numbers or all booleans.');
}

function isEmpty(params: QueryRequest['params']): boolean {
  return params === undefined || (isArray(params) ? params.length : Object.keys(params).length) === 0;
}

// `Array.isArray` does not narrow readonly arrays.
function isArray(value: unknown): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function invalid(detail: string): DomainError {
  return new DomainError('params.invalid', detail);
}
