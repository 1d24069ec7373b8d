import { DomainError, type ClaimEffect, type IdempotencyClaim } from '@millrace/domain';
import type { Transaction } from '../database/database.js';
import { rowsOf } from '../database/sql.js';

/**
 * Writes what a request with a key has brought about, in the transaction that does. Whoever takes the key next goes on
 * from there; whoever held it before and was too slow makes nothing.
 *
 * @throws DomainError `idempotency.in_progress` when somebody else has taken the key
 */
export async function bindEffect(
  transaction: Transaction,
  { tenantId, keyHash, claimId }: IdempotencyClaim,
  { effectId, fingerprint }: ClaimEffect,
): Promise<void> {
  const bound = await rowsOf(
    transaction,
    `UPDATE idempotency_keys SET effect_id = $4, fingerprint = coalesce($5, fingerprint)
     WHERE tenant_id = $1 AND key_hash = $2 AND claim_id = $3 AND answer_status IS NULL RETURNING key_hash`,
    [tenantId, keyHash, claimId, effectId, fingerprint ?? null],
  );
  if (bound.length > 0) return;
  throw new DomainError('idempotency.in_progress', 'Another request with the same key has taken over. Wait for it.');
}
