import type { DuckDBConnection } from '@duckdb/node-api';
import type { ProfileValue } from '@millrace/domain';
import { parseDuckdbType } from '../../types/duckdb-type.js';
import { jsonExpression } from '../../types/json-encoding.js';
import { FACTS_TABLE } from './profile-pass.js';
import type { ProfiledColumn } from './profiled-column.js';

/** The ends of a column on its axis, as SQL; undefined for one that has no place there, such as an infinity. */
export interface AxisRange {
  readonly low: string | undefined;
  readonly high: string | undefined;
}

/** What takes a look at every value of a column. */
export interface ColumnFacts {
  /** Values that are not NULL. */
  readonly valueCount: number;
  readonly min: ProfileValue | null;
  readonly max: ProfileValue | null;
  readonly mean: ProfileValue | null;
  /** An estimate; undefined for a table that is its own sample. */
  readonly distinctCount: number | undefined;
  readonly range: AxisRange;
}

/** What a pass found out about its columns. */
export async function readFacts(
  connection: DuckDBConnection,
  columns: readonly ProfiledColumn[],
  { isEstimated }: { readonly isEstimated: boolean },
): Promise<ColumnFacts[]> {
  const items = columns.flatMap((column, position) => itemsOf(column, position, isEstimated));
  const [row = []] = (await connection.runAndReadAll(`SELECT ${items.join(', ')} FROM ${FACTS_TABLE}`)).getRows();
  return columns.map(({ shown, axis }, position) => {
    const [count, distinct, min, max, mean, low, high] = row.slice(position * ITEMS, (position + 1) * ITEMS);
    const type = axis?.isWhole ? 'HUGEINT' : 'DOUBLE';
    return {
      valueCount: Number(count),
      min: parsed(min),
      max: parsed(max),
      mean: parsed(mean),
      distinctCount: shown && isEstimated ? Math.min(Number(distinct), Number(count)) : undefined,
      range: { low: literal(low, type), high: literal(high, type) },
    };
  });
}

const ITEMS = 7;
const DOUBLE = parseDuckdbType('DOUBLE');

function itemsOf(
  { shown, shownType = '', numberOf, axis }: ProfiledColumn,
  position: number,
  isEstimated: boolean,
): string[] {
  if (!shown) return [`count${position}`, ...Array<string>(ITEMS - 1).fill('NULL')];
  const json = (end: string): string => jsonExpression(parseDuckdbType(shownType), shown(end));
  const place = (end: string): string => (axis ? `CAST(${axis.positionOf(end)} AS VARCHAR)` : 'NULL');
  return [
    `count${position}`,
    isEstimated ? `distinct${position}` : 'NULL',
    json(`min${position}`),
    json(`max${position}`),
    numberOf ? jsonExpression(DOUBLE, `mean${position}`) : 'NULL',
    place(`min${position}`),
    place(`max${position}`),
  ];
}

const parsed = (json: unknown): ProfileValue | null =>
  typeof json === 'string' ? (JSON.parse(json) as ProfileValue | null) : null;

const literal = (text: unknown, type: string): string | undefined =>
  typeof text === 'string' ? `CAST('${text}' AS ${type})` : undefined;
