import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { withNamedInputs } from './named-inputs.js';

describe('withNamedInputs', () => {
  let folder: string;
  let scratchDir: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-named-'));
    scratchDir = await mkdtemp(join(folder, 'scratch-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('has a name for each file, however much alike theirs are', async () => {
    const files = ['a'.repeat(32), `${'a'.repeat(31)}b`, 'c'.repeat(32)].map((name) => join(folder, name));
    for (const file of files) await writeFile(file, file);
    // A table may well have the same part twice.
    const [first = ''] = files;
    const input = { schema: 'datasets', table: 't', files: [...files, first], columns: [] } as const;
    const read = await withNamedInputs(scratchDir, [input], async ([named]) => {
      expect(new Set(named?.files).size).toBe(4);
      return Promise.all((named?.files ?? []).map((link) => readFile(join(scratchDir, link), 'utf8')));
    });
    expect(read).toEqual([...files, first]);
    expect(await readdir(scratchDir)).toEqual([]);
  });
});
