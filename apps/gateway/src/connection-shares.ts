import { DomainError, type TenantId } from '@millrace/domain';

export interface ConnectionSharesOptions {
  /** Calls at once. */
  readonly callsMax: number;
  /** Calls of one tenant at once, those that wait included: less than all, so that no tenant can take all. */
  readonly callsOfTenantMax: number;
  /** How long a call may wait for its turn. */
  readonly waitMaxMs: number;
}

/** Shares the connections to another service among tenants. Whoever waits is served in the order of arrival. */
export class ConnectionShares {
  private taken = 0;
  private readonly ofTenants = new Map<TenantId, number>();
  private readonly waiting = new Set<() => void>();

  constructor(private readonly options: ConnectionSharesOptions) {}

  /**
   * Makes a call when it is its turn.
   *
   * @param options.signal ends the wait, not the call
   * @throws DomainError `query.too_many` when as many of the tenant are under way, `service.unavailable` when its turn
   * does not come in time
   */
  async run<T>(tenantId: TenantId, call: () => Promise<T>, options: { readonly signal: AbortSignal }): Promise<T> {
    const ofTenant = this.ofTenants.get(tenantId) ?? 0;
    if (ofTenant >= this.options.callsOfTenantMax) throw tooMany(this.options.callsOfTenantMax);
    this.ofTenants.set(tenantId, ofTenant + 1);
    try {
      await this.turn(options.signal);
      try {
        return await call();
      } finally {
        this.handOn();
      }
    } finally {
      this.leave(tenantId);
    }
  }

  private async turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.taken < this.options.callsMax) {
      this.taken += 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // Whoever gives up leaves the queue in the same moment, or a place could be handed to nobody.
    const giveUp = (reason: unknown): void => {
      this.waiting.delete(resolve);
      reject(reason);
    };
    const timer = setTimeout(() => giveUp(busy()), this.options.waitMaxMs);
    const onAbort = (): void => giveUp(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.waiting.add(resolve);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Gives the place of a call that has ended to the one that waits longest. */
  private handOn(): void {
    const [next] = this.waiting;
    if (!next) this.taken -= 1;
    else {
      this.waiting.delete(next);
      next();
    }
  }

  private leave(tenantId: TenantId): void {
    const left = (this.ofTenants.get(tenantId) ?? 1) - 1;
    if (left === 0) this.ofTenants.delete(tenantId);
    else this.ofTenants.set(tenantId, left);
  }
}

function tooMany(callsOfTenantMax: number): DomainError {
  return new DomainError(
    'query.too_many',
    `At most ${callsOfTenantMax} queries and pages can be under way at once. Wait until one has ended.`,
  );
}

function busy(): DomainError {
  return new DomainError('service.unavailable', 'The query service is busy. Try again in a moment.');
}
