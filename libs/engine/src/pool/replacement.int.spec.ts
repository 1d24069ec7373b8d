import { describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing/eventually';
import { ConvertFixture } from '../../test/convert-fixture.js';
import { LyingChildren } from '../../test/lying-child.js';
import { enginePids, PoolFixture } from '../../test/pool-fixture.js';
import { ChildLane } from './child-lane.js';
import { DEFAULT_ENGINE_OPTIONS } from './engine-options.js';

const MiB = 1024 ** 2;
const TASK = {
  kind: 'query',
  inputs: [],
  rowsMax: 1,
  answerBytesMax: 10,
  resultBytesMax: 1,
  outputPath: '/x',
} as const;

/** Says that it has as much memory as its statement tells. */
const TELLS_ITS_SIZE = `
import { deserialize } from 'node:v8';
const answer = { columns: [], rowCount: 0, rowsReturned: 0, truncated: false, executionTimeMs: 1 };
say({ type: 'ready', dataBytes: 1 });
onTask((bytes) => say({ type: 'answer', answer, dataBytes: Number(deserialize(bytes.subarray(8)).task.sql) }, '[]'));`;

/** Waits for the end of a process. */
const untilGone = (pid: number | undefined): Promise<unknown> =>
  eventually('its process has ended', async () => !(await enginePids(process.pid)).some((each) => each === pid));

describe('another process is there', () => {
  it('after a conversion that ran out of memory', async () => {
    const fixture = await ConvertFixture.open(256 * MiB);
    try {
      const convertOne = async (): Promise<number> =>
        (await fixture.convert(Buffer.from('a\n1\n'), { format: 'csv' })).rowCount;
      expect(await convertOne()).toBe(1);
      // The oldest is the one that has worked.
      const [pid] = await enginePids(process.pid, '"role":"table"');
      const names = Array.from({ length: 2_000 }, (_, index) => `c${index}`).join();
      const line = Array.from({ length: 2_000 }, () => 'x'.repeat(50)).join();
      const wide = Buffer.from(`${names}\n${`${line}\n`.repeat(500)}`);
      await expect(fixture.convert(wide, { format: 'csv' })).rejects.toMatchObject({ code: 'conversion.memory' });
      await untilGone(pid);
      expect(await convertOne()).toBe(1);
    } finally {
      await fixture.close();
    }
  });

  it('after a task that left more memory in its own than it may keep', async () => {
    const children = await LyingChildren.open();
    const lane = new ChildLane({
      ...DEFAULT_ENGINE_OPTIONS,
      childrenMax: 1,
      childrenKeptMax: 1,
      childrenPerTenantMax: 1,
      start: () => children.start(TELLS_ITS_SIZE),
      isHeavy: () => false,
      isSwollen: (child) => child.dataBytes > 100,
    });
    const sizeAfterTask = async (sql: string): Promise<{ pid: number | undefined; dataBytes: number }> => {
      const child = await lane.acquire('tenant-a', AbortSignal.timeout(20_000));
      await child.execute({ ...TASK, sql }, { deadlineAt: performance.now() + 20_000 });
      lane.release(child);
      return child;
    };
    try {
      const first = await sizeAfterTask('100');
      expect((await sizeAfterTask('101')).pid).toBe(first.pid);
      expect((await sizeAfterTask('1')).pid).not.toBe(first.pid);
    } finally {
      await lane.close(0);
      await children.close();
    }
  });

  it('after a parse that left too much memory in its own', async () => {
    const fixture = await PoolFixture.open();
    const parse = (sql: string): Promise<unknown> =>
      fixture.pool.run({ kind: 'parse', sql }, { tenantId: 'tenant-a', deadlineMs: 30_000 });
    try {
      await parse('SELECT 1');
      const [pid] = await enginePids(process.pid, '"role":"parse"');
      expect(await parse(`SELECT [${'1,'.repeat(100_000)}1]`)).toMatchObject({ statement: { form: 'select' } });
      await untilGone(pid);
      expect(await parse('SELECT 1')).toMatchObject({ statement: { form: 'select' } });
    } finally {
      await fixture.close();
    }
  });
});
