import { DomainError } from '@millrace/domain';
import type { HttpLimits } from './http-limits.js';

/** What one request has taken from the budget. */
export interface BodyShare {
  /** @throws DomainError `request.too_many`, `service.unavailable` when the tenant, or the server, has no more */
  take(bytes: number): void;
  /** Gives everything back. */
  release(): void;
}

/** The memory that JSON bodies may take, of each tenant and in all. */
export class BodyBudget {
  private inAll = 0;
  private readonly ofTenants = new Map<string, number>();

  constructor(private readonly limits: Pick<HttpLimits, 'jsonBytesOfTenantMax' | 'jsonBytesInAllMax'>) {}

  /** @param tenant whose body it is; requests without a caller share one tenant's part */
  share(tenant: string): BodyShare {
    let taken = 0;
    return {
      take: (bytes) => {
        this.check(tenant, bytes);
        this.add(tenant, bytes);
        taken += bytes;
      },
      release: () => {
        this.add(tenant, -taken);
        taken = 0;
      },
    };
  }

  private check(tenant: string, bytes: number): void {
    if ((this.ofTenants.get(tenant) ?? 0) + bytes > this.limits.jsonBytesOfTenantMax) {
      throw new DomainError(
        'request.too_many',
        'Too many large requests of yours are under way. Wait for their answers.',
      );
    }
    if (this.inAll + bytes > this.limits.jsonBytesInAllMax) {
      throw new DomainError('service.unavailable', 'Too many large requests are under way. Try again in a moment.');
    }
  }

  private add(tenant: string, bytes: number): void {
    this.inAll += bytes;
    const ofTenant = (this.ofTenants.get(tenant) ?? 0) + bytes;
    if (ofTenant === 0) this.ofTenants.delete(tenant);
    else this.ofTenants.set(tenant, ofTenant);
  }
}
