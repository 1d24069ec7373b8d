import { createHash } from 'node:crypto';
import type { RunQueryBody } from '@millrace/contract';
import { RESULT_VERSION } from '@millrace/domain';
import type { InputTable } from '../inputs/table-resolver.js';

/** A statement with everything that its rows depend on. */
export interface Question {
  /** Of the statement, whatever its layout. */
  readonly fingerprint: string;
  readonly params: RunQueryBody['params'];
  /** SQL types that the named ones are cast to. */
  readonly paramTypes?: Readonly<Record<string, string>> | undefined;
  /** What its tables stand for at this moment. */
  readonly tables: readonly InputTable[];
}

/** What two questions share whose answer is the same: SHA-256, in hexadecimal. */
export function reuseKey({ fingerprint, params, paramTypes, tables }: Question): string {
  const inputs = tables.map(inputOf).toSorted();
  const types = paramsOf(paramTypes);
  const parts = [RESULT_VERSION, fingerprint, paramsOf(params), inputs, ...(types.length > 0 ? [types] : [])];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** The name is a part of the statement, and here of what it stands for. */
function inputOf({ reference, source }: InputTable): string {
  const id = source.type === 'result' ? source.resultId : source.versionId;
  return `${reference.schema}.${reference.name.toLowerCase()} ${id}`;
}

/** By their names, in whichever order they were sent. */
function paramsOf(params: Question['params'] = []): readonly (readonly [string, string])[] {
  const named = Object.entries(params).map(([name, value]) => [name, textOf(value)] as const);
  return Array.isArray(params) ? named : named.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** A number is bound by what it is: JSON has no negative zero, which is bound as a DOUBLE. */
function textOf(value: unknown): string {
  return Object.is(value, -0) ? '-0' : JSON.stringify(value);
}
