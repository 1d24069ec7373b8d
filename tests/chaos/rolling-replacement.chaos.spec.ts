import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { APPS } from '@millrace/testing';
import { Fleet } from '../e2e/harness/fleet/fleet.js';
import { itLeftStoreAndCatalogInOrder } from './harness/left-in-order.js';
import { expectKeptUnderLoad } from './harness/expect-kept-under-load.js';

const TEST_MAX_MS = 240_000;
/** Longer than what waits for open work: who is asked to stop leaves nothing that has to outlive its lease. */
const LEASE_MS = '120000';

describe('a rolling replacement of every service, under load', () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await Fleet.start({ counts: { gateway: 2, 'query-service': 2 }, variables: { LEASE_MS } });
  }, TEST_MAX_MS);
  afterAll(() => fleet.stop(), TEST_MAX_MS);

  it.each(APPS)(
    'fails no request while each %s is replaced, but those that may be sent again, and loses no result',
    (app) => expectKeptUnderLoad(fleet, () => fleet.replaceAll(app), { lostBy: [] }),
    TEST_MAX_MS,
  );

  itLeftStoreAndCatalogInOrder(() => fleet);
});
