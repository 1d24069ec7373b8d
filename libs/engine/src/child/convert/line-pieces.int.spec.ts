import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EffortFailedError } from './effort.js';
import { linePieces } from './line-pieces.js';

const MIB = 1024 * 1024;

describe('linePieces', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'line-pieces-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const piecesOf = async (text: string): Promise<string[]> => {
    const path = join(folder, 'text');
    await writeFile(path, text);
    const pieces: string[] = [];
    for await (const piece of linePieces(path, new AbortController().signal)) pieces.push(piece.toString());
    return pieces;
  };

  it.each([
    ['nothing', '', ''],
    ['a line', 'a\n', 'a\n'],
    ['a line without an end', 'a\nb', 'a\nb\n'],
    ['lines over several pieces', 'käse,'.repeat(30).concat('\n').repeat(20_000), undefined],
    ['a last line as long as a piece', `a\n${'x'.repeat(MIB - 1)}`, `a\n${'x'.repeat(MIB - 1)}\n`],
    ['a line as long as a piece', `${'x'.repeat(MIB - 1)}\nb\n`, `${'x'.repeat(MIB - 1)}\nb\n`],
  ])('gives whole lines of %s', async (_, text, expected = text) => {
    const pieces = await piecesOf(text);
    expect(pieces.join('') === expected).toBe(true);
    expect(pieces.every((piece) => piece.endsWith('\n'))).toBe(true);
  });

  it('gives up at a line that is longer', async () => {
    await expect(piecesOf(`a\n${'x'.repeat(MIB)}\nb\n`)).rejects.toThrow(EffortFailedError);
  });
});
