import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { ConvertBench } from '../../test/convert-bench.js';

const SCRIPT = fileURLToPath(new URL('../../test/killable-worker.mjs', import.meta.url));

let bench: ConvertBench;

beforeAll(async () => {
  bench = await ConvertBench.open();
  bench.housekeeper.store = bench.store;
});
afterAll(() => bench.close());

/** Starts a worker in a process of its own and waits until it has stopped at a point of its work. */
async function stoppedAt(stopAt: string): Promise<ChildProcess> {
  const { folder, database } = bench;
  const options = { databaseUrl: database.databaseUrl, folder, stopAt };
  const child = fork(SCRIPT, [JSON.stringify(options)], { stdio: 'inherit' });
  const [said] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [unknown];
  if (said !== 'stopped') throw new Error(`the worker ended: ${String(said)}`);
  return child;
}

describe('a worker that is killed', () => {
  it.each(['fetched', 'half stored', 'stored'])(
    'when the file is %s leaves its job to another one, and no bytes behind',
    async (stopAt) => {
      const owner = await bench.newOwner();
      const dataset = await bench.uploadDataset(owner, `id,place\n1,${stopAt}\n`);
      const worker = await stoppedAt(stopAt);
      worker.kill('SIGKILL');
      await once(worker, 'exit');
      await eventually('the lease is over', async () => (await bench.jobOf(dataset)).attempt === 2);
      await bench.startWorker();
      const { job, version } = await bench.ends(dataset);
      expect(job).toMatchObject({ status: 'succeeded', attempt: 2, failures: 1 });
      expect(version).toMatchObject({ status: 'ready', number: 1, rowCount: 1 });
      await bench.expectNoOrphans();
      expect(await bench.localFiles()).toEqual([]);
      await bench.closeWorkers();
    },
  );
});
