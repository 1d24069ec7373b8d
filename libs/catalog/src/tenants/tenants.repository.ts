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
