import { DomainError, type TenantId } from '@millrace/domain';

/**
 * Each holds a connection of the gateway's for as long as its client likes: with this many, half of them are left for
 * statements and pages.
 */
const DOWNLOADS_MAX = 128;

/** Bounds how many downloads are under way: of each tenant, so that its statements still find their way, and in all. */
export class DownloadPlaces {
  private inAll = 0;
  private readonly ofTenants = new Map<TenantId, number>();

  /**
   * @returns gives the place back
   * @throws DomainError `query.too_many`
   */
  take(tenantId: TenantId, ofTenantMax: number): () => void {
    const ofTenant = this.ofTenants.get(tenantId) ?? 0;
    if (ofTenant >= ofTenantMax) throw tooMany(ofTenantMax);
    if (this.inAll >= DOWNLOADS_MAX) throw new DomainError('query.too_many', 'Too many downloads are under way.');
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

function tooMany(ofTenantMax: number): DomainError {
  const many = ofTenantMax === 1 ? 'one download' : `${ofTenantMax} downloads`;
  return new DomainError('query.too_many', `At most ${many} can be under way at once. Wait until one has ended.`);
}
