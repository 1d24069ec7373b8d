import { randomBytes } from 'node:crypto';
import { generateApiKey, hashApiKey } from '@millrace/auth';
import { SCOPES, type Principal, type Role, type Scope, type TenantId, type TenantLimits } from '@millrace/domain';
import type { Catalog } from '@millrace/catalog';

/** Somebody who can call: who they are, and the key that says so. */
export interface TestCaller {
  readonly principal: Principal;
  /** The key in clear text, as it goes into the `Authorization` header. */
  readonly apiKey: string;
}

export interface TestTenant {
  readonly tenantId: TenantId;
  readonly admin: TestCaller;
  readonly member: TestCaller;
}

/** A tenant of its own for a test, with an admin and a member who have keys with all scopes. */
export async function createTenant(
  catalog: Catalog,
  { limits = {} }: { limits?: Partial<TenantLimits> } = {},
): Promise<TestTenant> {
  const { tenantId } = await catalog.tenants.create({ name: `tenant ${randomBytes(4).toString('hex')}`, limits });
  const admin = await createCaller(catalog, tenantId, { role: 'admin' });
  const member = await createCaller(catalog, tenantId, { role: 'member' });
  return { tenantId, admin, member };
}

/** A user of a tenant with a key. */
export async function createCaller(
  catalog: Catalog,
  tenantId: TenantId,
  { role, scopes = SCOPES }: { role: Role; scopes?: readonly Scope[] },
): Promise<TestCaller> {
  const { id: userId } = await catalog.tenants.createUser({ tenantId, name: role, role });
  const apiKey = generateApiKey();
  const { id: apiKeyId } = await catalog.keys.create({ tenantId, userId, keyHash: hashApiKey(apiKey), scopes });
  return { apiKey, principal: { tenantId, userId, apiKeyId, role, scopes } };
}
