import { describe, expect, it } from '@jest/globals';
import { PieceCutter } from './piece-cutter.js';

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    if (text === 'break') throw new Error('broken');
    yield Buffer.from(text);
  }
}

async function piecesOf(bytes: AsyncIterable<Uint8Array>, pieceBytes = 3) {
  const cutter = new PieceCutter(bytes, pieceBytes);
  const pieces: string[] = [];
  while (await cutter.hasMore()) {
    let piece = '';
    for await (const chunk of cutter.next()) piece += Buffer.from(chunk).toString();
    pieces.push(piece);
  }
  return { pieces, failure: cutter.failure };
}

describe('a stream in pieces', () => {
  it.each<[string[], string[]]>([
    [[], []],
    [['', ''], []],
    [['a'], ['a']],
    [['abc'], ['abc']],
    [['abcabcab'], ['abc', 'abc', 'ab']],
    [
      ['a', '', 'bca', 'b', 'cab'],
      ['abc', 'abc', 'ab'],
    ],
  ])('%j is %j', async (texts, pieces) => {
    await expect(piecesOf(chunks(...texts))).resolves.toEqual({ pieces, failure: undefined });
  });

  it('keeps what came before it broke', async () => {
    const failure = new Error('broken');
    await expect(piecesOf(chunks('abca', 'break', 'b'))).resolves.toEqual({ pieces: ['abc', 'a'], failure });
    await expect(piecesOf(chunks('abc', 'break'))).resolves.toEqual({ pieces: ['abc'], failure });
    await expect(piecesOf(chunks('break'))).resolves.toEqual({ pieces: [], failure });
  });
});
