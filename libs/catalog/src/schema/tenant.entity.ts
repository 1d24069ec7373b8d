import {
  DEFAULT_TENANT_LIMITS,
  type ApiKeyId,
  type Role,
  type Scope,
  type TenantId,
  type TenantLimits,
  type UserId,
} from '@millrace/domain';
import { EntitySchema } from 'typeorm';
import { z } from 'zod';
import { bytes, identity, json, key, text, textList, time } from './columns.js';

export interface Tenant {
  readonly tenantId: TenantId;
  readonly name: string;
  /** Overrides of the default limits. */
  readonly limits: Partial<TenantLimits>;
  readonly createdAt: Date;
}

export interface User {
  readonly tenantId: TenantId;
  readonly id: UserId;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: Date;
}

export interface ApiKey {
  readonly tenantId: TenantId;
  readonly id: ApiKeyId;
  readonly userId: UserId;
  /** SHA-256 of the whole key, 32 bytes. */
  readonly keyHash: Uint8Array;
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}

const limitNames = Object.keys(DEFAULT_TENANT_LIMITS) as (keyof TenantLimits)[];

/** Overrides by name. Names that are no limit (any more) are dropped. */
export const limitOverrides: z.ZodType<Partial<TenantLimits>> = z.object(
  Object.fromEntries(limitNames.map((name) => [name, z.number().nonnegative().exactOptional()])),
);

export const TenantEntity = new EntitySchema<Tenant>({
  name: 'tenant',
  tableName: 'tenants',
  columns: {
    tenantId: key('tenant_id'),
    name: text('name'),
    limits: json('limits', limitOverrides),
    createdAt: time('created_at'),
  },
});

export const UserEntity = new EntitySchema<User>({
  name: 'user',
  tableName: 'users',
  columns: { ...identity, name: text('name'), role: text('role'), createdAt: time('created_at') },
});

export const ApiKeyEntity = new EntitySchema<ApiKey>({
  name: 'api_key',
  tableName: 'api_keys',
  columns: {
    ...identity,
    userId: text('user_id'),
    keyHash: bytes('key_hash'),
    scopes: textList('scopes'),
    createdAt: time('created_at'),
    revokedAt: time('revoked_at'),
  },
});
