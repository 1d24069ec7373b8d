import { foldName } from './cte-scope.js';
import type { RawNode, VisitedNode } from './tree-walk.js';

/**
 * Functions that may give something else for the same arguments: those that DuckDB says so of, and those that it expands
 * to these (`ago`, `today`) or that depend on chance or time without saying it (`age` of one argument,
 * `reservoir_quantile`). Some of them are refused anyway.
 */
const VOLATILE_FUNCTIONS: ReadonlySet<string> = new Set(
  `age ago current_catalog current_connection_id current_database current_date current_localtime
   current_localtimestamp current_query current_query_id current_role current_schema current_schemas
   current_setting current_time current_timestamp current_transaction_id current_user currval error gen_random_uuid
   get_current_time get_current_timestamp getvariable in_search_path localtime localtimestamp
   nextval now pg_conf_load_time pg_postmaster_start_time pg_sleep random reservoir_quantile session_user setseed
   sleep_ms stats today transaction_timestamp txid_current user uuid uuidv4 uuidv7 version write_log`.split(/\s+/),
);

/** Whether a function may give something else for the same arguments, by its name in any case. */
export function isVolatileFunction(name: string): boolean {
  return VOLATILE_FUNCTIONS.has(foldName(name));
}

/** Whether a statement with this node may give other rows when it runs again on the same tables. */
export function isVolatileNode({ kind, node }: VisitedNode): boolean {
  if (node['sample'] !== null && node['sample'] !== undefined) return true;
  if (kind === 'expression' && node['class'] === 'COLUMN_REF') return isVolatileName(node);
  const { function_name: name } = node;
  return typeof name === 'string' && isVolatileFunction(name);
}

/** `SELECT current_date` names a column. When there is none of that name, DuckDB takes it for the function. */
function isVolatileName({ column_names: names }: RawNode): boolean {
  return Array.isArray(names) && names.length === 1 && isVolatileFunction(String(names[0]));
}
