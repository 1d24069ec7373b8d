import { isId } from '@millrace/domain';
import { foldName } from './cte-scope.js';
import type { TableSchema } from './statement-analysis.js';
import { isTableName } from './unknown-table.js';

/** Whether there could be a table of this name in a schema; no other name is looked up in the catalog. */
export function canBeTable(schema: TableSchema, name: string): boolean {
  return schema === 'results' ? isId('result', foldName(name)) : isTableName(name);
}
