import {
  DEFAULT_TENANT_LIMITS,
  DomainError,
  newId,
  type Role,
  type TenantId,
  type TenantLimits,
} from '@millrace/domain';
import type { Database } from '../database/database.js';
import { insertRow } from '../database/transition.js';
import { limitOverrides, TenantEntity, UserEntity, type Tenant, type User } from '../schema/tenant.entity.js';

/** Any number: whoever holds it makes the first admin. */
const FIRST_ADMIN_LOCK = 7_294_551_023;

/** Who there is: tenants, what they may use, and their users. */
export class TenantRepository {
  constructor(private readonly database: Database) {}

  async create(tenant: { name: string; limits?: Partial<TenantLimits> }): Promise<Tenant> {
    const tenantId = newId('tenant');
    return this.database.transaction(async (transaction) => {
      const limits = limitOverrides.parse(tenant.limits ?? {});
      await insertRow(transaction, TenantEntity, { tenantId, name: tenant.name, limits });
      return transaction.getRepository(TenantEntity).findOneByOrFail({ tenantId });
    });
  }

  async createUser(user: { tenantId: TenantId; name: string; role: Role }): Promise<User> {
    const id = newId('user');
    return this.database.transaction(async (transaction) => {
      await insertRow(transaction, UserEntity, { id, ...user });
      return transaction.getRepository(UserEntity).findOneByOrFail({ tenantId: user.tenantId, id });
    });
  }

  async find(tenantId: TenantId): Promise<Tenant | undefined> {
    const tenant = await this.database.run((manager) => manager.getRepository(TenantEntity).findOneBy({ tenantId }));
    return tenant ?? undefined;
  }

  /** The admin of the oldest tenant; undefined when there is none yet. */
  async findFirstAdmin(): Promise<User | undefined> {
    const admin = await this.database.run((manager) =>
      manager.getRepository(UserEntity).findOne({ where: { role: 'admin' }, order: { tenantId: 'ASC', id: 'ASC' } }),
    );
    return admin ?? undefined;
  }

  /** The same, with a tenant and an admin made now when there is none; however many ask at once, one is made. */
  async ensureFirstAdmin(): Promise<User> {
    return this.database.transaction(async (transaction) => {
      await transaction.query('SELECT pg_advisory_xact_lock($1)', [FIRST_ADMIN_LOCK]);
      const users = transaction.getRepository(UserEntity);
      const found = await users.findOne({ where: { role: 'admin' }, order: { tenantId: 'ASC', id: 'ASC' } });
      if (found) return found;
      const [tenantId, id] = [newId('tenant'), newId('user')];
      await insertRow(transaction, TenantEntity, { tenantId, name: 'default', limits: {} });
      await insertRow(transaction, UserEntity, { tenantId, id, name: 'admin', role: 'admin' });
      return users.findOneByOrFail({ tenantId, id });
    });
  }

  /**
   * What a tenant may use: the defaults with its overrides.
   *
   * @throws DomainError `auth.invalid` when there is no such tenant
   */
  async limitsOf(tenantId: TenantId): Promise<TenantLimits> {
    const tenant = await this.find(tenantId);
    if (!tenant) throw new DomainError('auth.invalid', 'The tenant does not exist any more.');
    return { ...DEFAULT_TENANT_LIMITS, ...tenant.limits };
  }
}
