import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compareStoreWithCatalog } from '../e2e/harness/compare-store-with-catalog.js';
import { expectKept } from '../e2e/harness/expect-kept.js';
import { Fleet } from '../e2e/harness/fleet/fleet.js';
import { saysWhenToComeAgain } from '../e2e/harness/fleet/retryable.js';
import { APPS } from '../e2e/harness/fleet/service-run.js';
import { Promises, startLoad } from '../e2e/harness/kill-load.js';
import { waitForOpenWork } from '../e2e/harness/open-work.js';

const TEST_MAX_MS = 240_000;

describe('a rolling replacement of every service, under load', () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await Fleet.start({ counts: { gateway: 2, 'query-service': 2 } });
  }, TEST_MAX_MS);
  afterAll(() => fleet.stop(), TEST_MAX_MS);

  it.each(APPS)(
    'fails no request while each %s is replaced, but those that may be sent again',
    async (app) => {
      await fleet.explained(async () => {
        const tenant = await fleet.newTenant();
        const promises = new Promises();
        const load = startLoad(tenant.asAdmin, promises);
        await fleet.replaceAll(app);
        const errors = await load.stop();
        expect(errors.filter((error) => !saysWhenToComeAgain(error))).toEqual([]);
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
