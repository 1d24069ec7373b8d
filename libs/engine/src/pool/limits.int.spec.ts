import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LyingChildren } from '../../test/lying-child.js';
import { enginePids, PoolFixture } from '../../test/pool-fixture.js';
import { ChildFolder } from './child-folder.js';
import { EngineChild } from './engine-child.js';
import { NO_GUARDS } from './guards.js';
import type { ChildConfig } from './wire.js';

const MiB = 1024 ** 2;
const BUDGET_BYTES = 512 * MiB;
const PARSE_BUDGET_BYTES = 256 * MiB;
/** What one may have more than another that does nothing either. */
const MEASURING_BYTES = 100 * MiB;

describe('the limits of a child', () => {
  it('are a fence around what an idle one has and its budget, and half of the budget for DuckDB', async () => {
    const fixture = await PoolFixture.open({ memoryBytes: BUDGET_BYTES, childrenMax: 1 });
    try {
      const setting = "SELECT current_setting('memory_limit'), current_setting('threads')";
      expect(await fixture.rows(setting)).toEqual([['256.0 MiB', 2]]);
      const children = await Promise.all((await enginePids(process.pid)).map(readLimits));
      // One that parses has a smaller budget.
      for (const { fence, data } of children) {
        const beyond = [BUDGET_BYTES, PARSE_BUDGET_BYTES].map((budget) => Math.abs(fence - budget - data));
        expect(Math.min(...beyond)).toBeLessThan(MEASURING_BYTES);
      }
      expect(children.length).toBeGreaterThan(1);
    } finally {
      await fixture.close();
    }
  });

  it('include its age', async () => {
    const fixture = await PoolFixture.open({ childAgeMaxMs: 0 });
    try {
      const folderOf = async (): Promise<unknown> =>
        (await fixture.rows("SELECT current_setting('temp_directory')"))[0]?.[0];
      expect(await folderOf()).not.toBe(await folderOf());
    } finally {
      await fixture.close();
    }
  });
});

describe('a setting that DuckDB does not take as it was given', () => {
  let children: LyingChildren;

  beforeAll(async () => {
    children = await LyingChildren.open();
  });
  afterAll(() => children.close());

  it('lets no child start', async () => {
    const folder = await ChildFolder.create(children.folder, undefined);
    const { inputsDir, scratchDir, pipesDir } = folder;
    const budgets = { memoryLimitBytes: 256 * MiB, spillBytesMax: 256 * MiB };
    // DuckDB rounds it.
    const config: ChildConfig = {
      role: 'table',
      inputsDir,
      scratchDir,
      pipesDir,
      isolation: 'tenant',
      ...budgets,
      threads: 1.6,
    };
    const start = EngineChild.start(folder, { config, user: undefined, guards: NO_GUARDS, rlimits: undefined });
    await expect(start).rejects.toThrow('The setting threads was not taken: 2');
  });
});

/** RLIMIT_DATA of a process, and what it has of it. */
async function readLimits(pid: number): Promise<{ fence: number; data: number }> {
  const limits = await readFile(`/proc/${pid}/limits`, 'utf8').catch(() => '');
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return {
    fence: Number(/^Max data size\s+(\d+)/m.exec(limits)?.[1] ?? 0),
    data: Number(/^VmData:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024,
  };
}
