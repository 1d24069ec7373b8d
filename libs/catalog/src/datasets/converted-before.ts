import type { Column } from '@millrace/domain';
import { z } from 'zod';
import type { BlobReferences } from '../blobs/blob-references.js';
import type { Transaction } from '../database/database.js';
import { findRow } from '../database/sql.js';
import { columnList, jsonObject } from '../schema/json.js';
import { conversionKey, type ConvertedSource } from './conversion-key.js';
import type { StoredTable } from './dataset-rows.js';
import type { RawSource } from './use-up-source.js';

/** A table that somebody converted before, with the references to its files taken once more. */
export interface ConvertedTable extends StoredTable {
  readonly conversionKey: string;
}

interface VersionRow {
  readonly columns: readonly Column[];
  readonly rowCount: number;
  readonly sizeBytes: number;
  readonly statistics: unknown;
  readonly profile: unknown;
  readonly files: unknown;
}

const fileList = z.array(z.object({ storageKey: z.string(), rowCount: z.number() }));

/** A version whose files are data and nothing else; those of a deleted dataset are given back. */
const SELECT_CONVERTED = `SELECT v.columns, v.row_count AS "rowCount", v.size_bytes AS "sizeBytes", v.statistics, v.profile,
    jsonb_agg(jsonb_build_object('storageKey', f.storage_key, 'rowCount', f.row_count) ORDER BY f.position) AS files
  FROM dataset_versions v
  JOIN version_files f ON f.tenant_id = v.tenant_id AND f.version_id = v.id
  WHERE v.tenant_id = $1 AND v.conversion_key = $2 AND v.status = 'ready'
  GROUP BY v.tenant_id, v.id HAVING bool_and(f.component_type = 'data') ORDER BY v.id DESC LIMIT 1`;

const SELECT_SOURCE = `SELECT u.id IS NULL AS "isInline", b.content_hash AS "contentHash", u.content_type AS "contentType",
    u.content_encoding AS "contentEncoding", u.file_name AS "fileName"
  FROM (SELECT $1::text AS tenant_id, $2::text AS upload_id, $3::text AS raw_storage_key) s
  LEFT JOIN uploads u ON u.tenant_id = s.tenant_id AND u.id = s.upload_id
  JOIN blobs b ON b.tenant_id = s.tenant_id AND b.storage_key = coalesce(u.storage_key, s.raw_storage_key)`;

/** A source, and how it is read: `NewDataset.readingKey`. */
export interface ReadSource extends RawSource {
  readonly readingKey: string | undefined;
}

/** What a version of this source is remembered by; null when it is not. */
export async function findConversionKey(
  transaction: Transaction,
  { tenantId, uploadId, rawStorageKey, readingKey }: ReadSource,
): Promise<string | null> {
  if (readingKey === undefined) return null;
  const source = await findRow<ConvertedSource>(transaction, SELECT_SOURCE, [tenantId, uploadId, rawStorageKey]);
  return source ? conversionKey(source, readingKey) : null;
}

/**
 * The table that the same bytes became before, read in the same way by the same converter, and one more reference to each of
 * its files. Undefined when there is none, or when it is gone.
 */
export async function takeConverted(
  transaction: Transaction,
  references: BlobReferences,
  source: ReadSource,
): Promise<ConvertedTable | undefined> {
  const { tenantId } = source;
  const key = await findConversionKey(transaction, source);
  const row = key === null ? undefined : await findRow<VersionRow>(transaction, SELECT_CONVERTED, [tenantId, key]);
  if (key === null || !row) return undefined;
  const files = fileList.parse(row.files);
  const storageKeys = files.map((file) => file.storageKey);
  if (!(await references.takeAll(transaction, tenantId, storageKeys))) return undefined;
  const { rowCount, sizeBytes } = row;
  const statistics = { ...jsonObject.parse(row.statistics), reused: true };
  const profile = jsonObject.nullable().parse(row.profile);
  return {
    columns: columnList.parse(row.columns),
    rowCount,
    sizeBytes,
    statistics,
    profile,
    files,
    conversionKey: key,
  };
}
