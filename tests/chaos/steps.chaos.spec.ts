import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { APPS, type AppName } from '@millrace/testing';
import { Fleet } from '../e2e/harness/fleet/fleet.js';
import { isPassing } from '../e2e/harness/kill-load.js';
import { waitForOpenWork } from '../e2e/harness/open-work.js';
import { itLeftStoreAndCatalogInOrder } from './harness/left-in-order.js';
import { expectKeptUnderLoad } from './harness/expect-kept-under-load.js';
import { CONVERSION_STEPS } from './steps/conversion-steps.js';
import { RESULT_STEPS } from './steps/result-steps.js';
import { UPLOAD_STEPS } from './steps/upload-steps.js';

const TEST_MAX_MS = 240_000;
const STEPS = [...UPLOAD_STEPS, ...CONVERSION_STEPS, ...RESULT_STEPS];

/** Room for everything that is held beside the load, and a drain that what is held outlasts. */
const VARIABLES = {
  DRAIN_DELAY_MS: '0',
  DRAIN_MS: '1000',
  CONVERT_CONCURRENCY: '6',
  QUERY_CHILDREN_MAX: '5',
  QUERY_CHILDREN_KEPT_MAX: '6',
};

const stepsOf = (app: AppName) => STEPS.filter((step) => step.app === app);

/** One process has work at all its steps: to end one for each would take minutes, and show the same. */
const ENDS = APPS.flatMap((app) =>
  (['SIGKILL', 'SIGTERM'] as const).map((signal) => ({
    ...{ app, signal },
    steps: stepsOf(app)
      .map(({ name }) => name)
      .join(', '),
  })),
);

describe('a process that ends in the middle of its work, under load', () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await Fleet.start({ variables: VARIABLES });
  }, TEST_MAX_MS);
  afterAll(() => fleet.stop(), TEST_MAX_MS);

  const holdAll = async (app: AppName) => {
    const held = [];
    for (const step of stepsOf(app)) {
      const tenant = await fleet.newTenant();
      held.push({ ...(await step.hold({ fleet, tenant })), name: step.name, tenant });
    }
    return held;
  };

  it.each(ENDS)(
    'has its work done once by another: a $app that gets $signal while $steps',
    async ({ app, signal }) => {
      const endInTheMiddle = async (): Promise<void> => {
        const held = await holdAll(app);
        const ends = await Promise.all(fleet.of(app).map((run) => run.stop(signal)));
        if (signal === 'SIGTERM') expect(ends).toEqual([{ code: 0, signal: null }]);
        for (const { release } of held) await release?.();
        await fleet.add(app);
        fleet.s3.heal();
        for (const { tenant } of held) expect(await waitForOpenWork(tenant.asAdmin)).toEqual([]);
        expect(await faultsOf(held)).toEqual([]);
      };
      await expectKeptUnderLoad(fleet, endInTheMiddle, { mayBeSentAgain: isPassing });
    },
    TEST_MAX_MS,
  );

  itLeftStoreAndCatalogInOrder(() => fleet);
});

interface Looked {
  readonly name: string;
  readonly expectOneEffect: () => Promise<void>;
}

/** What is not as it should be, by the step. */
async function faultsOf(held: readonly Looked[]): Promise<string[]> {
  const faults: string[] = [];
  for (const { name, expectOneEffect } of held) {
    await expectOneEffect().catch((error: unknown) => faults.push(`${name}: ${String(error)}`));
  }
  return faults;
}
