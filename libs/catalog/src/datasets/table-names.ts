import { alternativeTableNames, DomainError, type TenantId } from '@millrace/domain';
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
  const wanted = name.toLowerCase();
  const distanceMax = Math.max(2, Math.floor(wanted.length / 3));
  return rows
    .map((row) => ({ name: row.name, distance: editDistance(wanted, row.name.toLowerCase()) }))
    .filter((candidate) => candidate.distance <= distanceMax)
    .sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, limit)
    .map((candidate) => candidate.name);
}

/** Levenshtein's distance: insertions, deletions and replacements that make one text the other. */
export function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[b.length] ?? 0;
}
