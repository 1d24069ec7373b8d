import { Inject, Injectable } from '@nestjs/common';
import { DomainError, TenantPlaces, type TenantId } from '@millrace/domain';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';

/** Bounds how many files pass through this process at once: those that are sent, and those that are read to verify them. */
@Injectable()
export class UploadPlaces {
  private readonly places = new TenantPlaces();

  constructor(@Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings) {}

  /** @throws DomainError `request.too_many`; what the work throws */
  async run<T>(tenantId: TenantId, work: () => Promise<T>): Promise<T> {
    const leave = this.enter(tenantId);
    try {
      return await work();
    } finally {
      leave();
    }
  }

  private enter(tenantId: TenantId): () => void {
    const { uploadsMax: inAllMax } = this.settings;
    const ofTenantMax = Math.ceil(inAllMax / 2);
    const entered = this.places.take(tenantId, { inAllMax, ofTenantMax });
    if (typeof entered === 'function') return entered;
    const many = entered === 'of_tenant' ? `${ofTenantMax} uploads of yours` : 'As many uploads as one server takes';
    throw new DomainError('request.too_many', `${many} are under way. Try again when one has ended.`);
  }
}
