import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteIdentifier, quoteLiteral } from '../../types/sql-text.js';
import { runLong } from '../long-statement.js';
import { groupedNumber, type TextRules } from './exactness.js';
import type { SourceColumn } from './table-source.js';

/** As many as are looked at in one pass elsewhere: expressions need memory for each of their steps. */
const COLUMNS_PER_PASS_MAX = 200;

export interface GroupedTable {
  /** A table of all columns as texts. */
  readonly from: string;
  /** Rows to look at; undefined: all. */
  readonly sampleRows: number | undefined;
  readonly rules: TextRules;
}

/**
 * The reader takes numbers with separators between their thousands for texts. A column of nothing but numbers, some of
 * which have such separators, becomes one of numbers.
 */
export async function typeGrouped<C extends SourceColumn>(
  connection: DuckDBConnection,
  columns: readonly C[],
  table: GroupedTable,
): Promise<readonly C[]> {
  if (table.rules.thousands === undefined) return columns;
  const texts = columns.filter(({ type, isPinned }) => type === 'VARCHAR' && !isPinned).map(({ name }) => name);
  const types = new Map<string, string>();
  for (let start = 0; start < texts.length; start += COLUMNS_PER_PASS_MAX) {
    const some = texts.slice(start, start + COLUMNS_PER_PASS_MAX);
    for (const [name, type] of await typesOf(connection, some, table)) types.set(name, type);
  }
  return columns.map((column) => ({ ...column, type: types.get(column.name) ?? column.type }));
}

async function typesOf(
  connection: DuckDBConnection,
  names: readonly string[],
  { from, sampleRows, rules }: GroupedTable,
): Promise<(readonly [name: string, type: string])[]> {
  const { thousands = '' } = rules;
  const items = names.flatMap((name) => {
    const text = quoteIdentifier(name);
    const isAll = (pattern: string): string => `bool_and(regexp_full_match(${text}, ${quoteLiteral(pattern)}))`;
    const isAny = `bool_or(contains(${text}, ${quoteLiteral(thousands)}))`;
    return [`${isAny} AND ${isAll(groupedNumber(rules))}`, isAll(groupedNumber(rules, { isInteger: true }))];
  });
  const limit = sampleRows === undefined ? '' : ` LIMIT ${sampleRows}`;
  const rows = `SELECT ${names.map(quoteIdentifier).join(', ')} FROM ${from}${limit}`;
  const [facts = []] = (await runLong(connection, `SELECT ${items.join(', ')} FROM (${rows})`)).getRows();
  return names.flatMap((name, index) => {
    if (facts[2 * index] !== true) return [];
    return [[name, facts[2 * index + 1] === true ? 'BIGINT' : 'DOUBLE'] as const];
  });
}
