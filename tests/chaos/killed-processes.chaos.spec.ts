import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { APPS } from '@millrace/testing';
import { Fleet } from '../e2e/harness/fleet/fleet.js';
import { saysWhenToComeAgain } from '../e2e/harness/fleet/retryable.js';
import { isPassing } from '../e2e/harness/kill-load.js';
import { itLeftStoreAndCatalogInOrder } from './harness/left-in-order.js';
import { expectKeptUnderLoad } from './harness/expect-kept-under-load.js';

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
      const endSome = async (): Promise<void> => {
        for (let kill = 0; kill < KILLS; kill += 1) {
          await sleep(KILL_AFTER_MS.min + Math.random() * (KILL_AFTER_MS.max - KILL_AFTER_MS.min));
          const end = await fleet.of(app)[0]?.stop(signal);
          expect(end).toEqual(signal === 'SIGTERM' ? { code: 0, signal: null } : { code: null, signal });
          await fleet.add(app);
        }
      };
      // A process that is asked to stop says so to its clients; one that is killed can't.
      await expectKeptUnderLoad(fleet, endSome, {
        mayBeSentAgain: signal === 'SIGTERM' ? saysWhenToComeAgain : isPassing,
      });
    },
    TEST_MAX_MS,
  );

  itLeftStoreAndCatalogInOrder(() => fleet);
});
