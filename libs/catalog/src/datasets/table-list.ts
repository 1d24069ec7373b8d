import type { Column, TenantId } from '@millrace/domain';
import type { Transaction } from '../database/database.js';
import { rowsOf } from '../database/sql.js';
import { columnList } from '../schema/json.js';

export interface ListedTable {
  readonly name: string;
  readonly columns: readonly Column[];
}

export interface TableListing {
  /** The first of them, by name. */
  readonly tables: readonly ListedTable[];
  /** How many there are. */
  readonly totalCount: number;
}

/** The tables of a tenant that can be read, by name without regard to case. */
export async function listTables(
  manager: Transaction,
  { tenantId, limit }: { tenantId: TenantId; limit: number },
): Promise<TableListing> {
  const rows = await rowsOf<{ name: string | null; columns: unknown; totalCount: number }>(
    manager,
    `WITH tables AS (
       SELECT d.table_name AS name, v.columns
       FROM datasets d JOIN dataset_versions v ON v.tenant_id = d.tenant_id AND v.id = d.head_version_id
       WHERE d.tenant_id = $1 AND d.schema_name = 'main' AND d.holds_name)
     SELECT t.name, t.columns, n.total AS "totalCount"
     FROM (SELECT count(*)::int AS total FROM tables) n
     LEFT JOIN (SELECT * FROM tables ORDER BY lower(name) COLLATE "C" LIMIT $2) t ON true
     ORDER BY lower(t.name) COLLATE "C"`,
    [tenantId, limit],
  );
  const tables = rows.flatMap(({ name, columns }) =>
    name === null ? [] : { name, columns: columnList.parse(columns) },
  );
  return { tables, totalCount: rows[0]?.totalCount ?? 0 };
}
