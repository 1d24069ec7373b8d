import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { FileLock } from './file-lock.js';

describe('a lock on a file', () => {
  it('has one owner of all processes, until it gives it back, and writes nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-lock-'));
    const path = join(folder, 'lock');
    const script = `
      const { FileLock } = await import('@millrace/object-store');
      process.stdout.write(String(await FileLock.tryTake(${JSON.stringify(path)}) !== undefined));
    `;
    const takenByOther = (): string =>
      spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).stdout;
    const lock = await FileLock.tryTake(path);
    expect([lock !== undefined, await FileLock.tryTake(path), takenByOther()]).toEqual([true, undefined, 'false']);
    lock?.release();
    lock?.release();
    expect(takenByOther()).toBe('true');
    const again = await FileLock.tryTake(path);
    expect(again).toBeDefined();
    expect([await readdir(folder), await readFile(path, 'utf8')]).toEqual([['lock'], '']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    again?.release();
    await rm(folder, { recursive: true });
  });
});
