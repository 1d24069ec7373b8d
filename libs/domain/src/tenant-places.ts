import type { TenantId } from './ids.js';

/** Places that are taken at most, in all and by one tenant. */
export interface PlaceBounds {
  readonly inAllMax: number;
  readonly ofTenantMax: number;
}

/** Counts what is under way, of each tenant and in all. Nobody waits: who finds no place hears of it. */
export class TenantPlaces {
  private inAll = 0;
  private readonly ofTenants = new Map<TenantId, number>();

  /** @returns what gives the place back, to be called once; or which bound is reached */
  take(tenantId: TenantId, { inAllMax, ofTenantMax }: PlaceBounds): (() => void) | 'in_all' | 'of_tenant' {
    const ofTenant = this.ofTenants.get(tenantId) ?? 0;
    if (ofTenant >= ofTenantMax) return 'of_tenant';
    if (this.inAll >= inAllMax) return 'in_all';
    this.inAll += 1;
    this.ofTenants.set(tenantId, ofTenant + 1);
    return () => this.leave(tenantId);
  }

  private leave(tenantId: TenantId): void {
    this.inAll -= 1;
    const left = (this.ofTenants.get(tenantId) ?? 1) - 1;
    if (left === 0) this.ofTenants.delete(tenantId);
    else this.ofTenants.set(tenantId, left);
  }
}
