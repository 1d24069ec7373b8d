import { chmod, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LyingChildren } from '../../test/lying-child.js';
import { enginePids, PoolFixture } from '../../test/pool-fixture.js';
import { canOthersRun } from '../../test/others.js';
import { ChildSetup } from './child-setup.js';
import type { EngineChild } from './engine-child.js';
import { DEFAULT_ENGINE_OPTIONS, type EngineLogger } from './engine-options.js';

const isRoot = process.getuid?.() === 0;
const task = { kind: 'query', sql: '', inputs: [], rowsMax: 2, answerBytesMax: 10_000, resultBytesMax: 1, outputPath: '/x' } as const; // prettier-ignore

/** Does what its task's statement says, in JavaScript, and answers with what came of it. */
const TAKEN_OVER = `
import { deserialize } from 'node:v8';
import * as fs from 'node:fs/promises';
import { connect } from 'node:net';
const reach = (port) => new Promise((resolve, reject) =>
  connect({ port, host: '127.0.0.1' }, () => resolve('connected')).on('error', reject));
const act = new (async () => undefined).constructor('fs', 'reach', 'code', 'return eval(code)');
say({ type: 'ready', dataBytes: 1 });
onTask(async (bytes) => {
  const { task } = deserialize(bytes.subarray(8));
  const outcome = await act(fs, reach, task.sql).then((value) => String(value ?? 'done'), (error) => error.code ?? String(error));
  const answer = { columns: [], rowCount: 1, rowsReturned: 1, truncated: false, executionTimeMs: 1 };
  say({ type: 'answer', answer, dataBytes: 1 }, JSON.stringify([[outcome]]));
});`;

const GiB = 1024 ** 3;
const THREADS_MAX = 20;

/** How many of so many processes can be started. */
const multiply = (count: number): string => `(async () => {
  const { spawn } = process.getBuiltinModule('node:child_process');
  const started = [];
  for (let n = 0; n < ${count}; n += 1) {
    const one = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
    if (await new Promise((resolve) => one.once('spawn', () => resolve(true)).once('error', () => resolve(false)))) started.push(one);
  }
  for (const one of started) one.kill('SIGKILL');
  return started.length;
})()`;

async function doIn(child: EngineChild, code: string): Promise<string> {
  const answer = await child.execute({ ...task, sql: code }, { deadlineAt: performance.now() + 20_000 });
  const [[outcome]] = JSON.parse('rowsJson' in answer ? answer.rowsJson : '') as [[string]];
  return outcome;
}

describe('a child whose code was taken over', () => {
  let children: LyingChildren;
  let setup: ChildSetup;
  let child: EngineChild;
  let other: EngineChild;
  let server: Server;
  let inputs: string;
  let folder: string;
  /** Whether the children of this machine can be somebody else than the tests. */
  let isSomebodyElse: boolean;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-inputs-'));
    inputs = join(folder, 'secret.csv');
    await writeFile(inputs, 'secret');
    await chmod(inputs, 0o444);
    children = await LyingChildren.open();
    const start = async (chosen: ChildSetup): Promise<EngineChild> =>
      children.start(TAKEN_OVER, { user: chosen.users.take(), guards: chosen.guards });
    ({ setup, found: child } = await ChildSetup.choose(DEFAULT_ENGINE_OPTIONS, start));
    other = await start(setup);
    isSomebodyElse = isRoot && (await canOthersRun());
    server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    await Promise.all([child.dispose(), other.dispose()]);
    await children.close();
    await rm(folder, { recursive: true });
    server.close();
  });

  it('is somebody else, wherever root may make it so', () => {
    // `npm test` runs where others can read the program.
    expect(isSomebodyElse).toBe(isRoot && (isSomebodyElse || setup.guards.unshare !== undefined));
  });

  it('reads its own inputs, and can not change, replace or add one', async () => {
    const [path = ''] = (await child.folder.setInputs([inputs])).values();
    expect(await doIn(child, `fs.readFile('${path}', 'utf8')`)).toBe('secret');
    const name = basename(path);
    const dir = dirname(path);
    const changes = [
      ...[`fs.writeFile('${path}', 'x')`, `fs.rm('${path}')`, `fs.writeFile('${dir}/new', 'x')`],
      `fs.writeFile('own', 'x').then(() => fs.rename('own', '${path}'))`,
      `fs.rename('${dir}', '${dir}-x')`,
    ];
    const expected = isSomebodyElse ? ['EACCES', 'EPERM'] : ['EACCES', 'EPERM', 'done'];
    for (const change of changes) expect(expected).toContain(await doIn(child, change));
    if (!isSomebodyElse) return;
    expect(['EACCES', 'EPERM']).toContain(await doIn(child, `fs.chmod('${path}', 0o666)`));
    expect(['EACCES', 'EPERM']).toContain(await doIn(child, `fs.chmod('${dir}', 0o777)`));
    expect(await readFile(join(dir, name), 'utf8')).toBe('secret');
  });

  it('reaches no network, not even the services of its own machine', async () => {
    const { port } = server.address() as AddressInfo;
    expect(await doIn(child, `reach(${port})`)).toBe(setup.guards.unshare ? 'ENETUNREACH' : 'connected');
    // So that the test can fail: this process does reach it.
    expect((await fetch(`http://127.0.0.1:${port}`).catch((error: Error) => error.cause)) ?? '').toMatchObject({
      code: 'UND_ERR_SOCKET',
    });
  });

  it('finds nothing of another child, and can send it no signal', async () => {
    if (!isSomebodyElse) return;
    const [theirs = ''] = (await other.folder.setInputs([inputs])).values();
    expect(await doIn(other, `fs.writeFile('scratch.txt', 'x')`)).toBe('done');
    const scratch = join(other.folder.scratchDir, 'scratch.txt');
    for (const path of [theirs, scratch]) expect(await doIn(child, `fs.readFile('${path}')`)).toBe('EACCES');
    for (const path of [dirname(theirs), other.folder.scratchDir, dirname(other.folder.scratchDir)]) {
      expect(await doIn(child, `fs.readdir('${path}')`)).toBe('EACCES');
    }
    for (const pid of [other.pid, process.pid]) {
      expect(await doIn(child, `Promise.resolve().then(() => process.kill(${pid}, 0))`)).toBe('EPERM');
      for (const name of ['environ', 'mem']) {
        expect(await doIn(child, `fs.readFile('/proc/${pid}/${name}')`)).toBe('EACCES');
      }
    }
  });

  it('can not become more than a few', async () => {
    if (!isSomebodyElse) return;
    const rlimits = { dataBytes: 8 * GiB, fileBytes: GiB, openFiles: 1_024, threads: THREADS_MAX };
    const fenced = await children.start(TAKEN_OVER, { user: setup.users.take(), guards: setup.guards, rlimits });
    const many = 3 * THREADS_MAX;
    try {
      // The threads that it has count, too.
      expect(Number(await doIn(fenced, multiply(many)))).toBeLessThan(THREADS_MAX);
      // So that the test can fail: without the limit it can.
      expect(Number(await doIn(child, multiply(many)))).toBe(many);
    } finally {
      await fenced.dispose();
    }
  });

  it('has no privilege and gets none', async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
    const field = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim() ?? '';
    if (!setup.guards.setpriv) return;
    expect(field('NoNewPrivs')).toBe('1');
    for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) expect(field(name)).toMatch(/^0+$/);
    if (!isSomebodyElse) return;
    expect(field('CapBnd')).toMatch(/^0+$/);
    expect(field('Groups')).toBe('');
    expect(await doIn(child, `process.setuid(0)`)).toBe('EPERM');
  });
});

describe('the children of a pool', () => {
  it('are each a user of its own, on a network of its own', async () => {
    const fixture = await PoolFixture.open();
    try {
      await Promise.all(['a', 'b'].map((tenantId) => fixture.rows('SELECT 1', { tenantId })));
      const pids = await enginePids(process.pid);
      const networks = await Promise.all(
        pids.map((pid) => readlink(`/proc/${pid}/ns/net`).catch(() => `ended ${pid}`)),
      );
      expect(new Set([...networks, await readlink('/proc/self/ns/net')]).size).toBe(pids.length + 1);
      if (!isRoot || !(await canOthersRun())) return;
      const uids = await Promise.all(pids.map(async (pid) => (await stat(`/proc/${pid}`)).uid));
      expect(new Set(uids).size).toBe(pids.length);
      for (const uid of uids) expect(uid).toBeGreaterThanOrEqual(DEFAULT_ENGINE_OPTIONS.ownUsers.first);
      // One that is just being started has fewer.
      const threads = Math.max(
        ...(await Promise.all(pids.map(async (pid) => (await readdir(`/proc/${pid}/task`)).length))),
      );
      for (const pid of pids) {
        const limits = await readFile(`/proc/${pid}/limits`, 'utf8');
        const most = Number(/^Max processes\s+(\d+)/m.exec(limits)?.[1]);
        expect(most).toBeGreaterThanOrEqual(threads);
        expect(most).toBeLessThan(threads + 20);
      }
    } finally {
      await fixture.close();
    }
  });

  it('work without any of the programs that guard them, and it is said once', async () => {
    const said: string[] = [];
    const note = (_: object, message: string): void => void said.push(message);
    const logger: EngineLogger = { ...DEFAULT_ENGINE_OPTIONS.logger, warn: note };
    const fixture = await PoolFixture.open({ programFolders: [], logger, tasksPerChildMax: 1 });
    try {
      expect(await fixture.rows('SELECT 1')).toEqual([[1]]);
      expect(await fixture.rows('SELECT 2')).toEqual([[2]]);
      const missing = said.filter((line) => /prlimit|setpriv|unshare/.test(line));
      expect(missing).toHaveLength(3);
      expect(missing[0]).toBe('no prlimit on this system: engine processes have no memory fence');
    } finally {
      await fixture.close();
    }
  });
});
