import type { ApiKeyId, TenantId, UserId } from './ids.js';

/** What a key may be allowed to do; a route names the one it requires. */
export const SCOPES = [
  'files:read',
  'files:write',
  'datasets:read',
  'datasets:write',
  'queries:read',
  'queries:run',
  'jobs:read',
  'jobs:write',
  'metrics:read',
] as const;

export type Scope = (typeof SCOPES)[number];

/** `admin` sees and does everything of the tenant; `member` what is theirs. */
export const ROLES = ['admin', 'member'] as const;

export type Role = (typeof ROLES)[number];

/** Who is calling: established once at a door, then passed on explicitly. */
export interface Principal {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly apiKeyId: ApiKeyId;
  readonly role: Role;
  readonly scopes: readonly Scope[];
}

/** What of a caller decides which things there are for them. */
export type Reader = Pick<Principal, 'tenantId' | 'userId' | 'role'>;

/** The owner to filter by where things belong to people: an admin sees all of the tenant, a member their own. */
export function ownThings({ role, userId }: Pick<Principal, 'role' | 'userId'>): { readonly userId?: UserId } {
  return role === 'admin' ? {} : { userId };
}
