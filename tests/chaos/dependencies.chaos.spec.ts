import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { Fleet } from '../e2e/harness/fleet/fleet.js';
import type { Load } from '../e2e/harness/kill-load.js';
import { itLeftStoreAndCatalogInOrder } from './harness/left-in-order.js';
import { expectKeptUnderLoad } from './harness/expect-kept-under-load.js';

const TEST_MAX_MS = 240_000;
const WAIT_MAX_MS = 90_000;

interface Loss {
  readonly what: string;
  /** Takes it away under load, and brings it back when that has shown. */
  readonly lose: (fleet: Fleet, load: Load) => Promise<void>;
}

const clientsHear = (load: Load): Promise<unknown> =>
  eventually('clients hear of it', () => load.errors.length > 0, WAIT_MAX_MS);

const LOSSES: readonly Loss[] = [
  {
    what: 'Redis is restarted without its data',
    lose: async ({ redis }) => {
      await redis.kill();
      await redis.restart();
    },
  },
  {
    what: 'Redis is away until that shows, and comes back empty',
    lose: async (fleet) => {
      await fleet.redis.kill();
      const [worker] = fleet.of('convert-worker');
      await eventually('it shows', async () => (await worker?.isReady()) === false, WAIT_MAX_MS);
      await fleet.redis.restart();
    },
  },
  {
    what: 'Postgres is restarted',
    lose: ({ postgres }) => postgres.restart('SIGINT'),
  },
  {
    what: 'Postgres crashes',
    lose: ({ postgres }) => postgres.restart('SIGKILL'),
  },
  {
    what: 'the network between gateway and query service is cut',
    lose: async ({ innerNetwork }, load) => {
      innerNetwork.cut();
      await clientsHear(load);
      innerNetwork.mend();
    },
  },
];

describe('when something that services need goes away under load', () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await Fleet.start({ ownPostgres: true });
  }, TEST_MAX_MS);
  afterAll(() => fleet.stop(), TEST_MAX_MS);

  it.each(LOSSES)(
    'nothing is lost, clients hear when to come again, and the services recover by themselves: $what',
    async ({ lose }) => {
      await expectKeptUnderLoad(fleet, async ({ load, promises }) => {
        await eventually('something of each kind was promised', () => promises.areOfEachKind(), WAIT_MAX_MS);
        await lose(fleet, load);
        await fleet.untilReady();
        const { tables, results } = promises;
        const before = { tables: tables.size, results: results.size };
        await eventually(
          'tables are made and queries answered again',
          () => tables.size > before.tables && results.size > before.results,
          WAIT_MAX_MS,
        );
      });
    },
    TEST_MAX_MS,
  );

  itLeftStoreAndCatalogInOrder(() => fleet);
});
