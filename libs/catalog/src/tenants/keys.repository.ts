import {
  newId,
  type ApiKeyId,
  type KeyDirectory,
  type Principal,
  type Scope,
  type TenantId,
  type UserId,
} from '@millrace/domain';
import type { Database } from '../database/database.js';
import { findRow, rowsOf } from '../database/sql.js';
import { insertRow } from '../database/transition.js';
import { ApiKeyEntity, type ApiKey } from '../schema/tenant.entity.js';

export interface NewApiKey {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  /** SHA-256 of the whole key, 32 bytes. */
  readonly keyHash: Uint8Array;
  readonly scopes: readonly Scope[];
}

/** API keys: only their hashes are known. */
export class KeyRepository implements KeyDirectory {
  constructor(private readonly database: Database) {}

  async create({ tenantId, userId, keyHash, scopes }: NewApiKey): Promise<ApiKey> {
    const id = newId('apiKey');
    return this.database.transaction(async (transaction) => {
      await insertRow(transaction, ApiKeyEntity, { tenantId, id, userId, keyHash: Buffer.from(keyHash), scopes });
      return transaction.getRepository(ApiKeyEntity).findOneByOrFail({ tenantId, id });
    });
  }

  /** Like `create`, and nothing for a key that there is already, also one that was revoked. */
  async ensure({ tenantId, userId, keyHash, scopes }: NewApiKey): Promise<void> {
    await this.database.run((manager) =>
      manager.query(
        `INSERT INTO api_keys (tenant_id, id, user_id, key_hash, scopes) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (key_hash) DO NOTHING`,
        [tenantId, newId('apiKey'), userId, Buffer.from(keyHash), scopes],
      ),
    );
  }

  /** The one question that names no tenant: the key tells it. */
  async findPrincipal(keyHash: Uint8Array): Promise<Principal | undefined> {
    return this.database.run((manager) =>
      findRow<Principal>(
        manager,
        `SELECT k.tenant_id AS "tenantId", k.user_id AS "userId", k.id AS "apiKeyId", u.role, k.scopes
         FROM api_keys k JOIN users u ON u.tenant_id = k.tenant_id AND u.id = k.user_id
         WHERE k.key_hash = $1 AND k.revoked_at IS NULL`,
        [Buffer.from(keyHash)],
      ),
    );
  }

  /** Ends a key for good. Returns false when there is no such key that still works. */
  async revoke(tenantId: TenantId, id: ApiKeyId): Promise<boolean> {
    const revoked = await this.database.run((manager) =>
      rowsOf(
        manager,
        'UPDATE api_keys SET revoked_at = now() WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING id',
        [tenantId, id],
      ),
    );
    return revoked.length > 0;
  }
}
