import type { Catalog, VersionRow } from '@millrace/catalog';
import type { JobFence, TenantId } from '@millrace/domain';

/*
 * Looks at what no service has to know.
 */

/** Every key that the register of blobs holds, in order; of one tenant or of all. */
export async function registeredKeys(catalog: Catalog, { tenantId }: { tenantId?: TenantId } = {}): Promise<string[]> {
  const rows = await catalog.transaction<{ storage_key: string }[]>((transaction) =>
    transaction.query(
      'SELECT storage_key FROM blobs WHERE $1::text IS NULL OR tenant_id = $1 ORDER BY storage_key COLLATE "C"',
      [tenantId ?? null],
    ),
  );
  return rows.map((row) => row.storage_key);
}

/** How many blobs of a tenant are pinned at this moment, counted once for each holder. */
export async function pinCount(catalog: Catalog, tenantId: TenantId): Promise<number> {
  const [row] = await catalog.transaction<{ count: number }[]>((transaction) =>
    transaction.query('SELECT count(*) AS count FROM blob_pins WHERE tenant_id = $1', [tenantId]),
  );
  return row?.count ?? 0;
}

/** What a conversion made of its version. */
export type VersionOfJob = Pick<
  VersionRow,
  'id' | 'status' | 'number' | 'rawStorageKey' | 'columns' | 'rowCount' | 'sizeBytes' | 'statistics' | 'error'
>;

/** The version that a job makes or made. @throws Error when there is none */
export async function versionOfJob(
  catalog: Catalog,
  { tenantId, jobId }: Pick<JobFence, 'tenantId' | 'jobId'>,
): Promise<VersionOfJob> {
  const [version] = await catalog.transaction<VersionOfJob[]>((transaction) =>
    transaction.query(
      `SELECT id, status, number, raw_storage_key AS "rawStorageKey", columns, row_count AS "rowCount", size_bytes AS "sizeBytes", statistics, error
       FROM dataset_versions WHERE tenant_id = $1 AND job_id = $2`,
      [tenantId, jobId],
    ),
  );
  if (!version) throw new Error(`there is no version of job ${jobId}`);
  return version;
}
