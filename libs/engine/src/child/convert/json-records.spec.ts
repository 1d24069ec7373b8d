import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { lineOfRecord } from './json-records.js';

describe('the records of a JSON text', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'json-records-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** The line of each record. */
  async function linesOf(text: string, isOneList: boolean): Promise<number[]> {
    const path = join(folder, 'file');
    await writeFile(path, text);
    const lines: number[] = [];
    for (let number = 1; ; number += 1) {
      const line = await lineOfRecord(path, { number, isOneList });
      if (line === undefined) return lines;
      lines.push(line);
    }
  }

  it.each<[string, string, boolean, number[]]>([
    ['lines', '{"a":1}\n{"a":2}\n\n{"a":3}', false, [1, 2, 4]],
    ['values over several lines', '{\n"a":1\n}\n{\n"a":2}', false, [1, 4]],
    ['values without anything between', '{"a":1}{"a":2}\n[1][2]', false, [1, 1, 2, 2]],
    ['elements of a list', '[\n{"a":1},\n{"a":2}, {"a":3}\n]', true, [2, 3, 3]],
    ['elements that are lists and texts', '[[1,\n2],\n"x,y",\n3]', true, [1, 3, 4]],
    ['brackets and quotes in texts', '{"a":"}\\"{"}\n{"a":"]"}', false, [1, 2]],
    ['what is no JSON', 'hello\n{"a":1},\n{"a":2}', false, [1, 2, 2, 3]],
    ['an empty list', '[ ]', true, []],
  ])('are counted: %s', async (_, text, isOneList, lines) => {
    expect(await linesOf(text, isOneList)).toEqual(lines);
  });
});
