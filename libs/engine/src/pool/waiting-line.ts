/**
 * Callers that wait, grouped by tenant: however many of one tenant wait, another tenant's next caller is not behind
 * them all.
 */
export class WaitingLine<T extends { readonly tenantId: string }> {
  /** The tenant whose turn was longest ago first; within a tenant, whoever came first. No group is empty. */
  private readonly groups = new Map<string, T[]>();

  get length(): number {
    return [...this.groups.values()].reduce((sum, group) => sum + group.length, 0);
  }

  lengthOf(tenantId: string): number {
    return this.groups.get(tenantId)?.length ?? 0;
  }

  join(waiter: T): void {
    const group = this.groups.get(waiter.tenantId);
    if (group) group.push(waiter);
    else this.groups.set(waiter.tenantId, [waiter]);
  }

  /**
   * Takes out whoever is next: of the tenants with the lowest load, the one whose turn was longest ago.
   *
   * @param loadOf what a tenant has already; infinite when it may have no more now
   */
  take(loadOf: (tenantId: string) => number): T | undefined {
    let next: string | undefined;
    let lowest = Number.POSITIVE_INFINITY;
    for (const tenantId of this.groups.keys()) {
      const load = loadOf(tenantId);
      if (load >= lowest) continue;
      lowest = load;
      next = tenantId;
    }
    return next === undefined ? undefined : this.takeOf(next);
  }

  /** @returns whether the waiter was still in the line */
  leave(waiter: T): boolean {
    const group = this.groups.get(waiter.tenantId) ?? [];
    const index = group.indexOf(waiter);
    if (index < 0) return false;
    group.splice(index, 1);
    if (group.length === 0) this.groups.delete(waiter.tenantId);
    return true;
  }

  /** Empties the line. */
  clear(): T[] {
    const all = [...this.groups.values()].flat();
    this.groups.clear();
    return all;
  }

  /** The tenant goes to the end of the round. */
  private takeOf(tenantId: string): T | undefined {
    const [first, ...rest] = this.groups.get(tenantId) ?? [];
    this.groups.delete(tenantId);
    if (rest.length > 0) this.groups.set(tenantId, rest);
    return first;
  }
}
