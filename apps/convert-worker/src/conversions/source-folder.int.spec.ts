import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SourceFolder } from './source-folder.js';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-sources-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const files = async () => (await readdir(root, { recursive: true })).filter((name) => name.includes('/'));

describe('SourceFolder', () => {
  it('removes a file after the work, also when the work fails', async () => {
    const sources = await SourceFolder.create(root);
    const write = async (path: string) => {
      await writeFile(path, 'a');
      return files();
    };
    expect(await sources.withFile(write)).toHaveLength(1);
    expect(await files()).toEqual([]);
    const failed = sources.withFile(async (path) => {
      await write(path);
      throw new Error('no luck');
    });
    await expect(failed).rejects.toThrow('no luck');
    expect(await files()).toEqual([]);
    await sources.remove();
    expect(await readdir(root)).toEqual([]);
  });
});
