import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compareStoreWithCatalog } from '../e2e/harness/compare-store-with-catalog.js';
import { expectKept } from '../e2e/harness/expect-kept.js';
import { Fleet } from '../e2e/harness/fleet/fleet.js';
import { saysWhenToComeAgain } from '../e2e/harness/fleet/retryable.js';
import { APPS } from '../e2e/harness/fleet/service-run.js';
import { isPassing, Promises, startLoad } from '../e2e/harness/kill-load.js';
import { waitForOpenWork } from '../e2e/harness/open-work.js';

const TEST_MAX_MS = 240_000;
const KILLS = 2;
/** Load runs for so long, drawn by lot, before each kill. */
const KILL_AFTER_MS = { min: 50, max: 1_500 };

describe('processes that end under load', () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await Fleet.start({
      counts: { gateway: 2, 'query-service': 2, 'convert-worker': 2, 'maintenance-worker': 2 },
    });
  }, TEST_MAX_MS);
  afterAll(() => fleet.stop(), TEST_MAX_MS);

  it.each(APPS.flatMap((app) => (['SIGKILL', 'SIGTERM'] as const).map((signal) => ({ app, signal }))))(
    'lose nothing when a $app gets $signal',
    async ({ app, signal }) => {
      await fleet.explained(async () => {
        const tenant = await fleet.newTenant();
        const promises = new Promises();
        const load = startLoad(tenant.asAdmin, promises);
        for (let kill = 0; kill < KILLS; kill += 1) {
          await sleep(KILL_AFTER_MS.min + Math.random() * (KILL_AFTER_MS.max - KILL_AFTER_MS.min));
          await fleet.of(app)[0]?.stop(signal);
          await fleet.add(app);
        }
        const errors = await load.stop();
        // A process that is asked to stop says so to its clients; one that is killed can't.
        const mayBeSentAgain = signal === 'SIGTERM' ? saysWhenToComeAgain : isPassing;
        expect(errors.filter((error) => !mayBeSentAgain(error))).toEqual([]);
        expect(promises.areOfEachKind()).toBe(true);
        expect(await waitForOpenWork(tenant.asAdmin)).toEqual([]);
        await expectKept(promises, tenant.asAdmin);
      });
    },
    TEST_MAX_MS,
  );

  it('left no file without a row, and no row without its file', async () => {
    const { databaseUrl, store } = fleet;
    expect(await compareStoreWithCatalog({ databaseUrl, objects: store })).toEqual([]);
  });
});
