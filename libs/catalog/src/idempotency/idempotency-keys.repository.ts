import { randomUUID } from 'node:crypto';
import {
  DomainError,
  type ClaimOutcome,
  type ClaimTimes,
  type IdempotencyClaim,
  type IdempotencyKey,
  type IdempotencyLedger,
  type KeptAnswer,
} from '@millrace/domain';
import type { Database, Transaction } from '../database/database.js';
import { findRow, fromNow, rowsOf } from '../database/sql.js';

/** A key may go between the try to take it and the look at who has it. */
const CLAIM_ATTEMPTS_MAX = 3;

interface KeyRow {
  readonly fingerprint: string | null;
  readonly effectId: string | null;
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly body: Uint8Array | null;
}

/** Requests that carry a key, and what became of them. */
export class IdempotencyKeyRepository implements IdempotencyLedger {
  constructor(private readonly database: Database) {}

  async claim(key: IdempotencyKey, request: ClaimTimes & { fingerprint?: string | undefined }): Promise<ClaimOutcome> {
    const claim = { ...key, claimId: randomUUID() };
    const { fingerprint = null, ...times } = request;
    for (let attempt = 0; attempt < CLAIM_ATTEMPTS_MAX; attempt += 1) {
      const taken = await this.database.run((manager) => take(manager, claim, { fingerprint, ...times }));
      if (taken) return { outcome: 'claimed', claim, fingerprint: taken.fingerprint, effectId: taken.effectId };
      const held = await this.database.run((manager) => find(manager, key));
      if (held) return outcomeOf(held);
    }
    throw new DomainError('idempotency.in_progress', 'Too many requests with the same key come at once.');
  }

  async extend({ tenantId, keyHash, claimId }: IdempotencyClaim, { leaseMs, retentionMs }: ClaimTimes): Promise<void> {
    await this.database.run((manager) =>
      rowsOf(
        manager,
        `UPDATE idempotency_keys SET lease_until = ${fromNow(leaseMs)()}, expires_at = ${fromNow(leaseMs + retentionMs)()}
         WHERE tenant_id = $1 AND key_hash = $2 AND claim_id = $3 AND answer_status IS NULL`,
        [tenantId, keyHash, claimId],
      ),
    );
  }

  async keep(
    { tenantId, keyHash, claimId }: IdempotencyClaim,
    { status, headers, body, retentionMs }: KeptAnswer & { readonly retentionMs: number },
  ): Promise<void> {
    await this.database.run((manager) =>
      rowsOf(
        manager,
        `UPDATE idempotency_keys SET answer_status = $4, answer_headers = $5, answer_body = $6,
           expires_at = ${fromNow(retentionMs)()}
         WHERE tenant_id = $1 AND key_hash = $2 AND claim_id = $3 AND answer_status IS NULL`,
        [tenantId, keyHash, claimId, status, JSON.stringify(headers), Buffer.from(body)],
      ),
    );
  }

  async release({ tenantId, keyHash, claimId }: IdempotencyClaim): Promise<void> {
    const ours = 'tenant_id = $1 AND key_hash = $2 AND claim_id = $3 AND answer_status IS NULL';
    const values = [tenantId, keyHash, claimId];
    await this.database.transaction(async (transaction) => {
      await rowsOf(transaction, `DELETE FROM idempotency_keys WHERE ${ours} AND effect_id IS NULL`, values);
      await rowsOf(transaction, `UPDATE idempotency_keys SET lease_until = now() WHERE ${ours}`, values);
    });
  }

  /** Forgets keys of all tenants whose time is over. Returns how many. */
  async purgeExpired({ limit }: { readonly limit: number }): Promise<number> {
    const purged = await this.database.run((manager) =>
      rowsOf(
        manager,
        `DELETE FROM idempotency_keys WHERE (tenant_id, key_hash) IN (
           SELECT tenant_id, key_hash FROM idempotency_keys WHERE expires_at <= now()
           LIMIT $1 FOR UPDATE SKIP LOCKED)
         RETURNING key_hash`,
        [limit],
      ),
    );
    return purged.length;
  }
}

/**
 * One statement, so that of many that come at once one has the key. A row whose time is over is as good as none; one whose
 * holder went away keeps what was asked for and what it brought about.
 */
function take(
  manager: Transaction,
  { tenantId, keyHash, claimId }: IdempotencyClaim,
  { fingerprint, leaseMs, retentionMs }: ClaimTimes & { readonly fingerprint: string | null },
): Promise<Pick<KeyRow, 'fingerprint' | 'effectId'> | undefined> {
  return findRow(
    manager,
    `INSERT INTO idempotency_keys AS k (tenant_id, key_hash, claim_id, fingerprint, lease_until, expires_at)
     VALUES ($1, $2, $3, $4, ${fromNow(leaseMs)()}, ${fromNow(leaseMs + retentionMs)()})
     ON CONFLICT (tenant_id, key_hash) DO UPDATE SET
       claim_id = EXCLUDED.claim_id,
       fingerprint = CASE WHEN k.expires_at <= now() THEN EXCLUDED.fingerprint
         ELSE coalesce(k.fingerprint, EXCLUDED.fingerprint) END,
       effect_id = CASE WHEN k.expires_at > now() THEN k.effect_id END,
       answer_status = NULL, answer_headers = NULL, answer_body = NULL,
       lease_until = EXCLUDED.lease_until, expires_at = EXCLUDED.expires_at
     WHERE k.expires_at <= now() OR (k.answer_status IS NULL AND k.lease_until <= now()
       AND (k.fingerprint IS NULL OR EXCLUDED.fingerprint IS NULL OR k.fingerprint = EXCLUDED.fingerprint))
     RETURNING fingerprint, effect_id AS "effectId"`,
    [tenantId, keyHash, claimId, fingerprint],
  );
}

function find(manager: Transaction, { tenantId, keyHash }: IdempotencyKey): Promise<KeyRow | undefined> {
  return findRow(
    manager,
    `SELECT fingerprint, effect_id AS "effectId", answer_status AS status, answer_headers AS headers, answer_body AS body
     FROM idempotency_keys WHERE tenant_id = $1 AND key_hash = $2`,
    [tenantId, keyHash],
  );
}

function outcomeOf({ fingerprint, status, headers, body }: KeyRow): ClaimOutcome {
  if (status === null || headers === null || body === null) return { outcome: 'running', fingerprint };
  return { outcome: 'answered', fingerprint, answer: { status, headers, body } };
}
