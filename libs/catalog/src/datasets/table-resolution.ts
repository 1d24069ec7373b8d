import type { Column, DatasetId, TenantId, VersionId } from '@millrace/domain';
import { z } from 'zod';
import type { Transaction } from '../database/database.js';
import { rowsOf } from '../database/sql.js';
import { columnList } from '../schema/json.js';

export interface VersionFile {
  readonly storageKey: string;
  readonly contentHash: string;
  readonly sizeBytes: number;
  readonly rowCount: number;
}

/** The exact version that a table name stands for at this moment. */
export interface ResolvedVersion {
  readonly versionId: VersionId;
  readonly number: number;
  readonly columns: readonly Column[];
  readonly rowCount: number;
  /** In the order of their rows. */
  readonly files: readonly VersionFile[];
}

export interface ResolvedTable {
  /** The name as it was asked for. */
  readonly name: string;
  readonly datasetId: DatasetId;
  /** The name as it was given. */
  readonly tableName: string;
  /** Undefined while the first version is still being made. */
  readonly head: ResolvedVersion | undefined;
}

interface TableRow {
  readonly name: string;
  readonly datasetId: DatasetId;
  readonly tableName: string;
  readonly versionId: VersionId | null;
  readonly number: number;
  readonly columns: unknown;
  readonly rowCount: number;
  readonly files: unknown;
}

const fileList = z.array(
  z.object({ storageKey: z.string(), contentHash: z.string(), sizeBytes: z.number(), rowCount: z.number() }),
);

const SELECT_TABLES = `SELECT n.name, d.id AS "datasetId", d.table_name AS "tableName", v.id AS "versionId", v.number,
    v.columns, v.row_count AS "rowCount", (
      SELECT coalesce(jsonb_agg(jsonb_build_object('storageKey', f.storage_key, 'contentHash', b.content_hash,
        'sizeBytes', b.size_bytes, 'rowCount', f.row_count) ORDER BY f.position), '[]')
      FROM version_files f JOIN blobs b ON b.tenant_id = f.tenant_id AND b.storage_key = f.storage_key
      WHERE f.tenant_id = v.tenant_id AND f.version_id = v.id AND f.component_type = 'data') AS files
  FROM unnest($2::text[]) AS n (name)
  JOIN datasets d ON d.tenant_id = $1 AND d.schema_name = 'main' AND d.holds_name AND lower(d.table_name) = lower(n.name)
  LEFT JOIN dataset_versions v ON v.tenant_id = d.tenant_id AND v.id = d.head_version_id`;

/** Finds the tables of the names that exist, all as of the same moment. */
export async function resolveTables(
  manager: Transaction,
  tenantId: TenantId,
  names: readonly string[],
): Promise<ResolvedTable[]> {
  const rows = await rowsOf<TableRow>(manager, SELECT_TABLES, [tenantId, [...new Set(names)]]);
  return rows.map(toResolvedTable);
}

function toResolvedTable({ name, datasetId, tableName, versionId, ...version }: TableRow): ResolvedTable {
  if (versionId === null) return { name, datasetId, tableName, head: undefined };
  const { number, rowCount } = version;
  const columns = columnList.parse(version.columns);
  return {
    name,
    datasetId,
    tableName,
    head: { versionId, number, rowCount, columns, files: fileList.parse(version.files) },
  };
}
