import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eventually } from '@millrace/testing';
import { compareStoreWithCatalog } from './harness/compare-store-with-catalog.js';
import { holdUpload, untilUploading } from './harness/held-upload.js';
import { csvOf, isPassing, largeCsvOf, Promises, startLoad } from './harness/kill-load.js';
import { expectKept } from './harness/expect-kept.js';
import type { MillraceRun } from './harness/millrace-run.js';
import { waitForOpenWork } from './harness/open-work.js';
import { disposeLeftovers, MillraceOnFolder } from './harness/process.js';
import { keptAnswer } from './harness/kept-answer.js';

/** A restart and several leases, on a machine that is busy with other things. */
const TEST_MAX_MS = 240_000;

/** Printed; put one here to see the same kills again. */
const SEED = Math.floor(Math.random() * 2 ** 31);
const KILLS = 3;
const KILL_AFTER_MS = { min: 100, max: 3_000 };

/** About 130 MB, whose conversion outlasts a statement that is asked for when it has begun. */
const LARGE_BLOCKS = 600;

describe('a process that is killed with SIGKILL, on the same folder again and again', () => {
  let millrace: MillraceOnFolder;
  let run: MillraceRun;

  beforeAll(async () => {
    millrace = await MillraceOnFolder.create();
    run = await millrace.start();
  }, TEST_MAX_MS);
  afterAll(disposeLeftovers, TEST_MAX_MS);

  const call: MillraceRun['asAdmin']['call'] = (name, request) => run.asAdmin.call(name, request);
  const upload = async (body: string) =>
    (await call('file.upload', { body, headers: { 'content-type': 'text/csv' } })).body;
  const createFrom = async (uploadId: string, label: string, headers: Record<string, string> = {}) =>
    (await call('dataset.create', { body: { label, source: { upload_id: uploadId } }, headers })).body;
  const countOf = async (table: string) =>
    (await call('query.run', { body: { sql: `SELECT count(*) FROM datasets.${table}` } })).body.rows[0]?.[0];

  /** Kills the process and starts the next one, which has to take over at once. */
  const killAndRestart = async (): Promise<void> => {
    await run.kill();
    await eventually('its engine processes end with it', async () =>
      (await millrace.processes()).every(({ command }) => command.includes('postgres')),
    );
    run = await millrace.start();
    const strangers = (await millrace.processes()).filter(({ parentPid }) => parentPid !== run.pid);
    expect(strangers).toEqual([]);
    expect(await ownersBelow(join(millrace.dataFolder, 'engine'))).toEqual(new Set([run.pid]));
  };

  /** Waits until what dead processes left has been dealt with. */
  const settle = async (): Promise<void> => {
    expect(await waitForOpenWork(run.asAdmin)).toEqual([]);
    expect(await differences()).toEqual([]);
  };

  const differences = async (waitMaxMs?: number): Promise<string[]> =>
    compareStoreWithCatalog({
      databaseUrl: await millrace.databaseUrl(),
      objects: join(millrace.dataFolder, 'objects'),
      ...(waitMaxMs !== undefined && { waitMaxMs }),
    });

  const story = (work: () => Promise<void>) => () => millrace.explained(work);

  it(
    'keeps an upload that was acknowledged and nothing of one that was not, and says that a running query was lost',
    story(async () => {
      const kept = await upload(csvOf(1_000));
      const { answer: halfUpload } = holdUpload(run.asAdmin);
      await untilUploading(millrace.dataFolder);
      const query = call('query.run', { body: { sql: 'SELECT sum(sqrt(i)) FROM range(3000000000) t(i)' } });
      query.catch(() => undefined);
      const running = await eventually('the query runs', async () => {
        const { body } = await call('query.list', { query: { status: 'running' } });
        return body.queries[0];
      });

      await killAndRestart();
      await settle();
      await expect(halfUpload).rejects.toThrow('fetch failed');
      await expect(query).rejects.toThrow('fetch failed');
      const { body: files } = await call('file.list');
      expect(files.uploads).toMatchObject([{ id: kept.id, status: 'pending' }]);
      const { body: queries } = await call('query.list');
      expect(queries.queries).toMatchObject([{ id: running.id, status: 'failed', error: { code: 'query.lost' } }]);
      await expect(createFrom(kept.id, 'Kept')).resolves.toMatchObject({ status: 'ready', row_count: 1_000 });
      await expect(countOf('kept')).resolves.toBe(1_000);
    }),
    TEST_MAX_MS,
  );

  it(
    'converts again by itself, and says that a result was lost which was not stored yet',
    story(async () => {
      const { content, rowCount } = largeCsvOf(LARGE_BLOCKS);
      const file = await upload(content);
      const dataset = await createFrom(file.id, 'Large', { prefer: 'respond-async' });
      await eventually('the conversion runs', async () => {
        const { body } = await call('job.list', { query: { status: 'running', kind: 'dataset.convert' } });
        return body.jobs.length > 0;
      });
      const sql = 'SELECT i, md5(i::VARCHAR) AS h FROM range(1000000) t(i)';
      const { body: answer } = await call('query.run', { body: { sql, limit_rows: 1 } });

      await killAndRestart();
      await settle();
      const { body: after } = await call('dataset.get', { path: { id: dataset.id } });
      expect(after).toMatchObject({ status: 'ready', version: 1, row_count: rowCount, error: null });
      await expect(countOf('large')).resolves.toBe(rowCount);
      const { body: jobs } = await call('job.list', { query: { kind: 'dataset.convert' } });
      expect(jobs.jobs[0]).toMatchObject({ dataset_id: dataset.id, status: 'succeeded', attempts: 2 });
      const { body: consumed } = await call('file.get', { path: { id: file.id } });
      expect(consumed).toMatchObject({ status: 'consumed' });
      const { body: result } = await call('result.get', { path: { id: keptAnswer(answer).result_id } });
      expect(result).toMatchObject({ status: 'failed', error: { code: 'result.lost' } });
    }),
    TEST_MAX_MS,
  );

  it(
    'keeps every promise through kills at any moment',
    story(async () => {
      process.stderr.write(`The kills are those of seed ${SEED}.\n`);
      const promises = new Promises();
      for (const afterMs of fc.sample(fc.integer(KILL_AFTER_MS), { seed: SEED, numRuns: KILLS })) {
        const load = startLoad(run.asAdmin, promises);
        await eventually('something of each kind was promised', () => promises.areOfEachKind());
        await sleep(afterMs);
        await killAndRestart();
        const errors = await load.stop();
        expect(errors.length).toBeGreaterThan(0);
        expect(errors.filter((error) => !isPassing(error))).toEqual([]);
      }
      await settle();
      process.stderr.write(
        `Acknowledged: ${promises.uploads.size} uploads, ${promises.tables.size} tables, ${promises.results.size} results.\n`,
      );
      await expectKept(promises, run.asAdmin);
    }),
    TEST_MAX_MS,
  );
});

/** The process ids in the names of all work folders below a folder. */
async function ownersBelow(folder: string): Promise<Set<number>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const owners = entries.map(({ name }) => /^(\d+)-[0-9a-f]+-[0-9a-f]+$/.exec(name)?.[1]);
  return new Set(owners.filter((owner) => owner !== undefined).map(Number));
}
