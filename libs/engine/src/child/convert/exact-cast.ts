import { readDuckdbError } from '../duckdb-error.js';
import { conversionFailed } from './conversion-error.js';
import type { SourceColumn } from './table-source.js';

/** Begins the message of a cast that would change a value; the index of the column and the value follow. */
const INEXACT = 'inexact:';

export interface ExactCast {
  /** An expression. */
  readonly value: string;
  /** Its type. */
  readonly from: string;
  readonly to: string;
  /** Of the column that it becomes. */
  readonly index: number;
}

/** A cast that fails where it would change a value: a plain one rounds, and drops the time of a timestamp. */
export function exactCast({ value, from, to, index }: ExactCast): string {
  const cast = `TRY_CAST(${value} AS ${to})`;
  const message = `concat('${INEXACT}${index}:', left(CAST(${value} AS VARCHAR), 200))`;
  return `CASE WHEN TRY_CAST(${cast} AS ${from}) IS DISTINCT FROM ${value} THEN error(${message}) ELSE ${cast} END`;
}

/** What such a failure says about the file; undefined for any other error. */
export function explainInexact(error: unknown, columns: readonly SourceColumn[]): Error | undefined {
  const [, index, text = ''] = /inexact:(\d+):([^]*)$/.exec(readDuckdbError(error)?.message ?? '') ?? [];
  if (index === undefined) return undefined;
  const { name, type } = columns[Number(index)] ?? { name: '', type: '' };
  return conversionFailed(`Column "${name}": "${text}" is no ${type} without a change.`, { columnName: name, text });
}
