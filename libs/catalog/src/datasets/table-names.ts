import { alternativeTableNames, DomainError, type TenantId } from '@millrace/domain';
import { closeNames } from '@millrace/sql';
import type { Transaction } from '../database/database.js';
import { rowsOf } from '../database/sql.js';

/** Alternatives that are tried when a table name is in use. */
const ALTERNATIVES_MAX = 50;
/** Names of a tenant that are looked at for similar ones. */
const NAMES_COMPARED_MAX = 2_000;

/** The error for a name in use, with a free one as a suggestion if a numbered one is free. */
export async function tableNameTaken(
  manager: Transaction,
  { tenantId, tableName, cause }: { tenantId: TenantId; tableName: string; cause: unknown },
): Promise<DomainError> {
  const alternatives = alternativeTableNames(tableName, ALTERNATIVES_MAX);
  const rows = await rowsOf<{ name: string }>(
    manager,
    `SELECT lower(table_name) AS name FROM datasets
     WHERE tenant_id = $1 AND schema_name = 'main' AND holds_name AND lower(table_name) = ANY($2)`,
    [tenantId, alternatives.map((name) => name.toLowerCase())],
  );
  const taken = new Set(rows.map((row) => row.name));
  const free = alternatives.find((name) => !taken.has(name.toLowerCase()));
  const advice = free === undefined ? 'Choose another one.' : `"${free}" is free.`;
  return new DomainError('table_name.taken', `The table name "${tableName}" is in use. ${advice}`, { cause });
}

/** The tables of a tenant whose names are close to one that does not exist, the closest first. */
export async function findSimilarNames(
  manager: Transaction,
  { tenantId, name, limit }: { tenantId: TenantId; name: string; limit: number },
): Promise<string[]> {
  const rows = await rowsOf<{ name: string }>(
    manager,
    `SELECT table_name AS name FROM datasets
     WHERE tenant_id = $1 AND schema_name = 'main' AND holds_name AND head_version_id IS NOT NULL
     ORDER BY id DESC LIMIT $2`,
    [tenantId, NAMES_COMPARED_MAX],
  );
  // Without regard to case, as names are compared; no two of a tenant differ in it alone.
  const byFolded = new Map(rows.map((row) => [row.name.toLowerCase(), row.name]));
  return closeNames(name.toLowerCase(), byFolded.keys(), limit).map((folded) => byFolded.get(folded) ?? folded);
}
