import { randomBytes } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing/eventually';
import fc from 'fast-check';
import { enginePids, PoolFixture } from '../../test/pool-fixture.js';
import type { TableInput } from '../tasks/table-input.js';

const TEST_MAX_MS = 120_000;
/** Printed; put one here to see the same kills again. */
const SEED = Math.floor(Math.random() * 2 ** 31);
const KILLS = 12;
const KILL_AFTER_MS = { min: 0, max: 600 };

const ROWS = 400_000;
const csv = gzipSync(`id,word\n${Array.from({ length: ROWS }, (_, id) => `${id},w${id % 977}\n`).join('')}`);

interface Doing {
  /** What comes of it, when nothing does: everything that could be wrong or partial. */
  readonly expected: unknown;
  readonly crash: string;
  run(onProgress?: () => void): Promise<unknown>;
}

describe('a child that is killed', () => {
  let fixture: PoolFixture;
  let input: TableInput;
  const doing = new Map<string, Doing>();

  beforeAll(async () => {
    fixture = await PoolFixture.open();
    const source = await fixture.query(`SELECT range AS id, 'w' || range % 977 AS word FROM range(${ROWS})`);
    input = { schema: 'datasets', table: 't', files: [source.filePath], columns: source.columns };
    doing.set('query', { expected: [ROWS, ROWS, 977], crash: 'query.crashed', run: query });
    doing.set('conversion', { expected: [ROWS, ROWS, 977], crash: 'conversion.crashed', run: convert });
  });
  afterAll(() => fixture.close());

  async function query(onProgress?: () => void): Promise<unknown> {
    const sql = 'SELECT id, word, md5(id::VARCHAR) AS hash FROM datasets.t ORDER BY hash';
    const limits = { rowsMax: 1_000, answerBytesMax: 1024 ** 2, resultBytesMax: 1024 ** 3 };
    const task = { kind: 'query', sql, inputs: [input], ...limits } as const;
    const result = await fixture.pool.run(task, { tenantId: 'tenant-a', deadlineMs: 60_000, onProgress });
    const [first = [], ...rest] = JSON.parse(result.rowsJson) as unknown[][];
    expect([first[2], rest.length]).toEqual(['00003e3b9e5336685200ae85d21b4f5e', 999]);
    return [result.rowCount, ...(await contentOf(result.filePath, result.columns))];
  }

  async function convert(onProgress?: () => void): Promise<unknown> {
    const file = join(fixture.folder, randomBytes(6).toString('hex'));
    await writeFile(file, csv);
    try {
      const options = { tenantId: 'tenant-a', deadlineMs: 60_000, onProgress };
      const { rowCount, files, columns } = await fixture.pool.run({ kind: 'convert', file }, options);
      return [rowCount, ...(await contentOf(files[0]?.path ?? '', columns))];
    } finally {
      await rm(file);
    }
  }

  /** From the file itself, in a child of another tenant; again, should that one have been killed, too. */
  async function contentOf(path: string, columns: TableInput['columns']): Promise<unknown[]> {
    const inputs: TableInput[] = [{ schema: 'datasets', table: 'r', files: [path], columns }];
    const sql = 'SELECT count(DISTINCT id), count(DISTINCT word) FROM datasets.r';
    const reading = (): Promise<unknown[][] | undefined> =>
      fixture.rows(sql, { tenantId: 'tenant-b', inputs }).catch(() => undefined);
    const [row = []] = await eventually('its file can be read', reading);
    await rm(path);
    return row;
  }

  /** Kills all, and waits until the pool knows it. */
  const killAll = async (): Promise<void> => {
    const pids = await enginePids(process.pid);
    for (const pid of pids) signalIfThere(pid, 'SIGKILL');
    await eventually('they are gone', () => !pids.some((pid) => signalIfThere(pid, 0)));
  };

  /** Nothing that a lost child wrote, read or unpacked is left, and the next task of its tenant is done. */
  async function expectNothingLeft({ run, expected }: Doing): Promise<void> {
    expect(await run()).toEqual(expected);
    const own = input.files.map((path) => path.split('/').at(-1) ?? '');
    await eventually('no file is left', async () => {
      const files = (await readdir(join(fixture.folder, 'work'), { recursive: true, withFileTypes: true })).filter(
        (entry) => entry.isFile() && !own.includes(entry.name) && !entry.parentPath.endsWith('/inputs'),
      );
      return files.length === 0;
    });
  }

  const untilTaken = (): Promise<unknown> =>
    eventually('its file is taken', async () => {
      const taken = (await readdir(join(fixture.folder, 'work'), { recursive: true })).filter((path) =>
        /outputs\/./.test(path),
      );
      return taken.length > 1;
    });

  describe.each(['query', 'conversion'])('in a %s', (kind) => {
    const task = (): Doing => {
      const found = doing.get(kind);
      if (!found) throw new Error('There is no such task.');
      return found;
    };

    it.each<[string, (progress: Promise<void>) => Promise<unknown>]>([
      ['before it has begun', () => Promise.resolve()],
      ['at its first progress', (progress) => progress],
      ['when it has begun to write its file', () => fixture.untilOutput()],
    ])(
      'is a crash, %s',
      async (_, moment) => {
        const { run, crash } = task();
        const progress = Promise.withResolvers<void>();
        const outcome = run(() => progress.resolve()).catch((error: unknown) => error);
        // One that had not begun may find a child that was not there yet, and a fast one may tell of no progress.
        await Promise.race([moment(progress.promise), outcome]);
        await killAll();
        expect([crash, undefined]).toContain(((await outcome) as { code?: string }).code);
        await expectNothingLeft(task());
      },
      TEST_MAX_MS,
    );

    it(
      'changes nothing once its file was taken',
      async () => {
        const outcome = task().run();
        await untilTaken();
        await killAll();
        expect(await outcome).toEqual(task().expected);
        await expectNothingLeft(task());
      },
      TEST_MAX_MS,
    );

    it(
      'is a crash or changes nothing, whenever it is',
      async () => {
        process.stderr.write(`The kills are those of seed ${SEED}.\n`);
        for (const afterMs of fc.sample(fc.integer(KILL_AFTER_MS), { seed: SEED, numRuns: KILLS })) {
          const { run, expected, crash } = task();
          const outcome = run().catch((error: { code: string }) => error.code);
          await sleep(afterMs);
          await killAll();
          expect([crash, expected]).toContainEqual(await outcome);
        }
        await expectNothingLeft(task());
      },
      TEST_MAX_MS,
    );
  });
});

/** One that was being replaced may have ended by itself. @returns whether it was there */
function signalIfThere(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
}
