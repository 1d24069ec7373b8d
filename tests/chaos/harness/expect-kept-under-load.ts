import { expect } from '@jest/globals';
import { expectKept } from '../../e2e/harness/expect-kept.js';
import type { Fleet } from '../../e2e/harness/fleet/fleet.js';
import { saysWhenToComeAgain } from '../../e2e/harness/fleet/retryable.js';
import { type Load, Promises, startLoad } from '../../e2e/harness/kill-load.js';
import type { TenantUnderTest } from '../../e2e/harness/millrace.js';
import { waitForOpenWork } from '../../e2e/harness/open-work.js';
import { repeatedEffects } from '../../e2e/harness/repeated-effects.js';

export interface LoadUnderWay {
  readonly load: Load;
  /** Who makes it. */
  readonly tenant: TenantUnderTest;
  /** What was acknowledged so far. */
  readonly promises: Promises;
}

interface Allowed {
  /** Which errors clients may get; those that tell them when to come again when left out. */
  readonly mayBeSentAgain?: (error: unknown) => boolean;
  /** The codes by which results may be lost; those of `expectKept` when left out. */
  readonly lostBy?: readonly string[];
}

/**
 * Disturbs a fleet while a tenant of it uploads, makes tables and queries, which ends when the disturbance does, also when
 * that fails. Then clients have got their answers or may ask again, nothing is under way any more, what was acknowledged is
 * there, and nothing was done twice.
 */
export async function expectKeptUnderLoad(
  fleet: Fleet,
  disturb: (underWay: LoadUnderWay) => Promise<unknown>,
  { mayBeSentAgain = saysWhenToComeAgain, lostBy }: Allowed = {},
): Promise<void> {
  await fleet.explained(async () => {
    const tenant = await fleet.newTenant();
    const promises = new Promises();
    const load = startLoad(tenant.asAdmin, promises);
    try {
      await disturb({ load, tenant, promises });
    } finally {
      await load.stop();
    }
    expect(load.errors.filter((error) => !mayBeSentAgain(error))).toEqual([]);
    expect(promises.areOfEachKind()).toBe(true);
    expect(await waitForOpenWork(tenant.asAdmin)).toEqual([]);
    await expectKept(promises, tenant.asAdmin, lostBy);
    expect(await repeatedEffects(fleet.databaseUrl)).toEqual([]);
  });
}
