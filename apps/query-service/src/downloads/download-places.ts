import { DomainError, TenantPlaces, type TenantId } from '@millrace/domain';

/**
 * Each holds a connection of the gateway's for as long as its client likes: with this many, half of them are left for
 * statements and pages.
 */
const DOWNLOADS_MAX = 128;

/** Bounds how many downloads are under way: of each tenant, so that its statements still find their way, and in all. */
export class DownloadPlaces {
  private readonly places = new TenantPlaces();

  /**
   * @returns gives the place back
   * @throws DomainError `query.too_many`
   */
  take(tenantId: TenantId, ofTenantMax: number): () => void {
    const taken = this.places.take(tenantId, { inAllMax: DOWNLOADS_MAX, ofTenantMax });
    if (taken === 'of_tenant') throw tooMany(ofTenantMax);
    if (taken === 'in_all') throw new DomainError('query.too_many', 'Too many downloads are under way.');
    return taken;
  }
}

function tooMany(ofTenantMax: number): DomainError {
  const many = ofTenantMax === 1 ? 'one download' : `${ofTenantMax} downloads`;
  return new DomainError('query.too_many', `At most ${many} can be under way at once. Wait until one has ended.`);
}
