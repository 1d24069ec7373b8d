import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eventually } from '@millrace/testing';
import { compareStoreWithCatalog } from './harness/compare-store-with-catalog.js';
import { expectKept } from './harness/expect-kept.js';
import { Promises, startLoad } from './harness/kill-load.js';
import { waitForOpenWork } from './harness/open-work.js';
import { disposeLeftovers, MillraceOnFolder } from './harness/process.js';

/** A start, several restarts of Postgres and several leases, on a machine that is busy with other things. */
const TEST_MAX_MS = 240_000;

/** Printed; put one here to see the same kills again. */
const SEED = Math.floor(Math.random() * 2 ** 31);
const KILLS = 3;
const KILL_AFTER_MS = { min: 500, max: 2_500 };

describe('when the embedded Postgres is killed with SIGKILL', () => {
  afterEach(disposeLeftovers);

  it(
    'calls end with 503 while it is started again, and everything goes on then',
    () =>
      MillraceOnFolder.use(async (millrace) => {
        process.stderr.write(`The kills are those of seed ${SEED}.\n`);
        const run = await millrace.start();
        const promises = new Promises();
        const load = startLoad(run.asAdmin, promises);
        for (const afterMs of fc.sample(fc.integer(KILL_AFTER_MS), { seed: SEED, numRuns: KILLS })) {
          await sleep(afterMs);
          process.kill(await millrace.postgresPid(), 'SIGKILL');
          await untilItAnswers(run.credentials.url);
        }
        const answersBefore = promises.uploads.size;
        await eventually('uploads are taken again', async () => promises.uploads.size > answersBefore);
        const errors = await load.stop();
        expect(errors.length).toBeGreaterThan(0);
        for (const error of errors) expect(error).toMatchObject({ problem: { status: 503 } });
        expect(run.output).toContain('Postgres ended unexpectedly (signal SIGKILL), starting it again');
        expect(run.complaints).toBe('');

        expect(await waitForOpenWork(run.asAdmin)).toEqual([]);
        const place = {
          databaseUrl: await millrace.databaseUrl(),
          objects: join(millrace.dataFolder, 'objects'),
        };
        expect(await compareStoreWithCatalog(place)).toEqual([]);
        await expectKept(promises, run.asAdmin);
        run.signal('SIGTERM');
        await expect(run.end()).resolves.toEqual({ code: 0, signal: null });
        expect(await millrace.processes()).toEqual([]);
      }),
    TEST_MAX_MS,
  );

  it(
    'and can not be started again, the process ends with code 1 and says where the log is',
    () =>
      MillraceOnFolder.use(async (millrace) => {
        const run = await millrace.start();
        const pid = await millrace.postgresPid();
        const folder = join(millrace.dataFolder, 'postgres');
        await rename(join(folder, 'data'), join(folder, 'away'));
        process.kill(pid, 'SIGKILL');
        await expect(run.end()).resolves.toEqual({ code: 1, signal: null });
        expect(run.complaints).toContain('Postgres ended with signal SIGKILL and could not be started again');
        expect(run.complaints).toContain(join(folder, 'postgres.log'));
        await eventually('nothing runs any more', async () => (await millrace.processes()).length === 0);
      }),
    TEST_MAX_MS,
  );
});

/** The process is there all the time; `/readyz` says when Postgres is, too. */
async function untilItAnswers(url: string): Promise<void> {
  const address = new URL('/readyz', url);
  await eventually('Postgres is not there', async () => (await fetch(address)).status === 503);
  await eventually('Postgres is there again', async () => (await fetch(address)).status === 200);
}
