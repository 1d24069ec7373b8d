import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createOwnFolder } from './own-folder.js';

let parent: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'millrace-own-'));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

describe('a folder of a process', () => {
  it('removes what dead processes left, an earlier one with its own pid included, and nothing else', async () => {
    const { pid: deadPid } = spawnSync(process.execPath, ['--version']);
    const dead = [`${deadPid}-12345-00000000`, `${process.pid}-12345-00000000`];
    for (const name of [...dead, 'something else']) await mkdir(join(parent, name, 'within'), { recursive: true });
    const [one, two] = [await createOwnFolder(parent, 0o700), await createOwnFolder(parent, 0o700)];
    expect((await readdir(parent)).sort()).toEqual([basename(one), basename(two), 'something else'].sort());
  });
});
