import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { eventually } from '@millrace/testing/eventually';
import { canOthersRun } from '../../test/others.js';
import { enginePids, PoolFixture } from '../../test/pool-fixture.js';
import { DEFAULT_ENGINE_OPTIONS } from './engine-options.js';

const SLOW = "SELECT levenshtein(repeat('ab', 60000), repeat('ba', 60000))";
const ENDLESS = 'SELECT count(*) FROM range(100000000000) a, range(100) b WHERE hash(a.range) = 1';

const MiB = 1024 ** 2;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapAfterCollection(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

describe('EnginePool', () => {
  let fixture: PoolFixture;

  beforeAll(async () => {
    fixture = await PoolFixture.open();
  });
  afterAll(() => fixture.close());

  const nextQueryWorks = async (): Promise<void> => {
    expect(await fixture.rows('SELECT 42')).toEqual([[42]]);
  };

  it('kills a statement that does not listen to its deadline, 2 s later', async () => {
    await expect(fixture.query(SLOW, { deadlineMs: 300 })).rejects.toMatchObject({ code: 'query.deadline' });
    await nextQueryWorks();
  });

  it('interrupts a statement that does listen', async () => {
    await expect(fixture.query(ENDLESS, { deadlineMs: 300 })).rejects.toMatchObject({ code: 'query.deadline' });
  });

  it.each(["SELECT length(repeat('x', 4000000000))", 'SELECT len(range(400000000))'])(
    'keeps the memory of %s behind the fence',
    async (sql) => {
      await expect(fixture.query(sql)).rejects.toMatchObject({ code: 'query.memory' });
      await nextQueryWorks();
    },
  );

  it('spills a sort to disk', async () => {
    const sql = 'SELECT i, repeat(md5(i::VARCHAR), 8) AS s FROM range(1800000) t(i) ORDER BY s';
    const result = await fixture.query(sql, { rowsMax: 1, deadlineMs: 55_000 });
    expect(result.rowCount).toBe(1_800_000);
  });

  it('cancels', async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 200);
    await expect(fixture.query(ENDLESS, { signal: abort.signal })).rejects.toMatchObject({ code: 'query.cancelled' });
    await expect(fixture.query('SELECT 1', { signal: abort.signal })).rejects.toMatchObject({
      code: 'query.cancelled',
    });
    await nextQueryWorks();
  });

  it('keeps no answer of a child that lives on', async () => {
    const before = heapAfterCollection();
    for (let round = 0; round < 30; round += 1) {
      await fixture.rows("SELECT repeat('x', 1000) FROM range(1000)");
    }
    expect(heapAfterCollection() - before).toBeLessThan(10 * MiB);
  });

  it('survives the loss of its children', async () => {
    await nextQueryWorks();
    const lost = fixture.query(ENDLESS).catch((error: unknown) => error);
    await fixture.untilOutput();
    const pids = await enginePids(process.pid);
    for (const pid of pids) signalIfThere(pid, 'SIGKILL');
    expect(await lost).toMatchObject({ code: 'query.crashed' });
    await eventually('the pool knows that they are gone', () => !pids.some((pid) => signalIfThere(pid, 0)));
    await nextQueryWorks();
  });

  it('runs children as an unprivileged user without an environment', async () => {
    await fixture.rows('SELECT 1');
    const [pid] = await enginePids(process.pid);
    expect(await readFile(`/proc/${pid}/environ`, 'utf8')).not.toMatch(/HOME|USER|PATH|NODE_OPTIONS/);
    if (process.getuid?.() !== 0) return;
    const { uid } = await stat(`/proc/${pid}`);
    if (await canOthersRun()) expect(uid).toBeGreaterThanOrEqual(DEFAULT_ENGINE_OPTIONS.ownUsers.first);
    else expect(uid).toBe(0);
  });

  it('removes the folder of a service that is gone', async () => {
    const work = join(fixture.folder, 'work');
    await mkdir(join(work, '999999999-1-abcd', 'children'), { recursive: true });
    const other = await PoolFixture.open({ workDir: work });
    expect(await readdir(work)).not.toContain('999999999-1-abcd');
    await other.close();
    await nextQueryWorks();
  });
});

describe('EnginePool with one child', () => {
  it('never shares a child between tenants', async () => {
    const fixture = await PoolFixture.open({ childrenMax: 1 });
    const folderOf = async (tenantId: string): Promise<unknown> => {
      // Each child has a folder of its own.
      const [row] = await fixture.rows("SELECT current_setting('temp_directory')", { tenantId });
      return row?.[0];
    };
    try {
      const first = await folderOf('tenant-a');
      expect(await folderOf('tenant-a')).toBe(first);
      const second = await folderOf('tenant-b');
      expect(second).not.toBe(first);
      expect(await folderOf('tenant-a')).not.toBe(first);
    } finally {
      await fixture.close();
    }
  });

  it('refuses callers beyond the queue', async () => {
    const fixture = await PoolFixture.open({ childrenMax: 1, queueMax: 1 });
    try {
      const running = fixture.query('SELECT sum(hash(i)) FROM range(30000000) t(i)', { tenantId: 'tenant-b' });
      const waiting = fixture.query('SELECT 2', { tenantId: 'tenant-a' });
      await expect(fixture.query('SELECT 3', { tenantId: 'tenant-c' })).rejects.toMatchObject({
        code: 'query.too_many',
      });
      await Promise.all([running, waiting]);
      expect(await fixture.pool.counts()).toEqual({ busy: 0, idle: 1, waiting: 0 });
    } finally {
      await fixture.close();
    }
  });

  it('lets go of the files of its last task when no other comes', async () => {
    const fixture = await PoolFixture.open({ childrenMax: 1, inputsKeptMs: 100 });
    try {
      const { filePath, columns } = await fixture.query('SELECT 7 AS a');
      const inputs = [{ schema: 'datasets' as const, table: 't', files: [filePath], columns }];
      for (let round = 0; round < 3; round += 1) {
        const sql = 'SELECT a, count(*) FROM datasets.t, range(30000000) i(i) WHERE hash(i) <> a GROUP BY a';
        expect(await fixture.rows(sql, { inputs })).toEqual([[7, 30_000_000]]);
        await eventually('its link is gone', async () => (await fixture.stagedInputs()).length === 0);
      }
      expect((await stat(filePath)).nlink).toBe(1);
      expect(await fixture.pool.counts()).toMatchObject({ idle: 1 });
    } finally {
      await fixture.close();
    }
  });

  it('replaces a child after its tasks', async () => {
    const fixture = await PoolFixture.open({ tasksPerChildMax: 1 });
    try {
      const pids = new Set<number>();
      for (let run = 0; run < 3; run += 1) {
        await fixture.rows('SELECT 1');
        for (const pid of await enginePids(process.pid)) pids.add(pid);
      }
      expect(pids.size).toBeGreaterThan(2);
    } finally {
      await fixture.close();
    }
  });

  it('gives each statement an instance of its own under statement isolation', async () => {
    const fixture = await PoolFixture.open({ isolation: 'statement' });
    try {
      const { filePath, columns } = await fixture.query('SELECT 7::HUGEINT AS a');
      const inputs = [{ schema: 'datasets' as const, table: 't', files: [filePath], columns }];
      expect(await fixture.rows('SELECT a FROM datasets.t', { inputs })).toEqual([[7]]);
      const shown = "SELECT len(current_setting('allowed_paths')), len(current_setting('allowed_directories'))";
      expect(await fixture.rows(shown, { inputs })).toEqual([[1, 3]]);
      await expect(fixture.query('SELECT a FROM datasets.t')).rejects.toMatchObject({ code: 'table.unknown' });
    } finally {
      await fixture.close();
    }
  });
});

describe('the end of a service', () => {
  it('leaves no children behind, and the next start cleans up', async () => {
    const fixture = await PoolFixture.open();
    const script = `
      import { EnginePool } from '@millrace/engine';
      const pool = new EnginePool({ workDir: ${JSON.stringify(join(fixture.folder, 'work'))} });
      await pool.run({ kind: 'query', sql: 'SELECT 1', inputs: [], rowsMax: 1, answerBytesMax: 100, resultBytesMax: 1e6 },
        { tenantId: 'a', deadlineMs: 20000 });
      console.log('ready');
      setInterval(() => undefined, 1000);`;
    const cwd = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
    const service = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(service.stdout, 'data');
    const children = await enginePids(service.pid ?? 0);
    expect(children.length).toBeGreaterThanOrEqual(2);
    service.kill('SIGKILL');
    await once(service, 'exit');
    const isGone = async (pid: number): Promise<boolean> => {
      const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
      return status === undefined || / Z /.test(status);
    };
    await eventually('its children have ended', async () => (await Promise.all(children.map(isGone))).every(Boolean));
    const next = await PoolFixture.open({ workDir: join(fixture.folder, 'work') });
    const owners = (await readdir(join(fixture.folder, 'work'))).map((name) => Number(name.split('-')[0]));
    expect(owners).not.toContain(service.pid);
    await next.close();
    await fixture.close();
  });
});

/** A child that was being replaced may have ended by itself. Returns whether it was there. */
function signalIfThere(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
}
