import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing/eventually';
import { LyingChildren } from '../../test/lying-child.js';
import { enginePids, PoolFixture } from '../../test/pool-fixture.js';
import { ChildLane } from './child-lane.js';
import { DEFAULT_ENGINE_OPTIONS } from './engine-options.js';

async function isStopped(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8');
  return status.slice(status.lastIndexOf(')') + 2).startsWith('T');
}

const READY = `say({ type: 'ready', dataBytes: 1 });`;

describe('a task whose child is gone before it has begun', () => {
  let fixture: PoolFixture;

  beforeAll(async () => {
    fixture = await PoolFixture.open();
  });
  afterAll(() => fixture.close());

  /**
   * All of them, the idle ones and the spare, stopped: one that is killed while it does something may still take its task
   * out of the socket, which counts as begun.
   */
  async function stoppedPids(): Promise<number[]> {
    expect(await fixture.rows('SELECT 1')).toEqual([[1]]);
    await fixture.pool.run({ kind: 'parse', sql: 'SELECT 1' }, { tenantId: 'tenant-a', deadlineMs: 20_000 });
    const pids = await enginePids(process.pid);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    await eventually('they stand still', async () => (await Promise.all(pids.map(isStopped))).every(Boolean));
    return pids;
  }

  const rows = (): Promise<unknown> => fixture.rows('SELECT 42');

  it.each<[string, () => Promise<unknown>, unknown]>([
    ['a query', rows, [[42]]],
    [
      'a parse',
      () => fixture.pool.run({ kind: 'parse', sql: 'SELECT 1' }, { tenantId: 'tenant-a', deadlineMs: 20_000 }),
      { statement: expect.objectContaining({ form: 'select' }), fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ],
  ])('is done by another: %s', async (_, run, expected) => {
    const pids = await stoppedPids();
    // In one turn of the event loop, so that the pool can not know it yet.
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    expect(await run()).toEqual(expected);
  });

  it('is done by another: an export', async () => {
    const { filePath, columns } = await fixture.query('SELECT 7 AS a');
    for (const pid of await stoppedPids()) process.kill(pid, 'SIGKILL');
    const request = { files: [filePath], columns, format: 'csv' } as const;
    const { body } = await fixture.pool.export(request, { tenantId: 'tenant-a', deadlineMs: 20_000 });
    expect(await text(body)).toBe('a\n7\n');
  });

  it('is done by another when it was sent and not taken', async () => {
    const pids = await stoppedPids();
    const answer = rows();
    await eventually('it has a child', async () => (await fixture.pool.counts()).busy === 1);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    expect(await answer).toEqual([[42]]);
  });
});

describe('a lane', () => {
  let children: LyingChildren;

  beforeAll(async () => {
    children = await LyingChildren.open();
  });
  afterAll(() => children.close());

  /** The first so many of its children end while they start. */
  function laneOf(lost: number): ChildLane {
    let started = 0;
    return new ChildLane({
      ...DEFAULT_ENGINE_OPTIONS,
      childrenMax: 1,
      childrenKeptMax: 1,
      childrenPerTenantMax: 1,
      start: () => children.start((started += 1) > lost ? READY : 'process.exit();'),
      isHeavy: () => false,
      isSwollen: () => false,
    });
  }

  it('gives a child although three ended while they started', async () => {
    const lane = laneOf(3);
    const child = await lane.acquire('tenant-a', AbortSignal.timeout(20_000));
    expect(child.isAlive).toBe(true);
    lane.release(child);
    await lane.close(0);
  });

  it('says so when no child starts', async () => {
    const lane = laneOf(Number.POSITIVE_INFINITY);
    await expect(lane.acquire('tenant-a', AbortSignal.timeout(20_000))).rejects.toMatchObject({
      code: 'service.unavailable',
    });
    expect(lane.counts).toEqual({ busy: 0, idle: 0, waiting: 0 });
    await lane.close(0);
  });
});
