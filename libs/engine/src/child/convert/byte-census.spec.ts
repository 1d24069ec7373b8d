import { describe, expect, it } from '@jest/globals';
import { ByteCensus } from './byte-census.js';

function censusOf(bytes: Buffer, pieceBytes = bytes.length): ByteCensus {
  const census = new ByteCensus();
  for (let at = 0; at < bytes.length; at += pieceBytes) census.observe(bytes.subarray(at, at + pieceBytes));
  census.finish();
  return census;
}

describe('ByteCensus', () => {
  it.each<[string, Buffer, number, number]>([
    ['UTF-8', Buffer.from('é 北 𝄞'), 3, 0],
    ['a character that is cut off at the end', Buffer.from('x北').subarray(0, -1), 1, 0],
    ['a character that is cut off before another', Buffer.from([0xe5, 0x8c, 0xc3, 0xa9]), 1, 2],
    ['a character that is cut off by ASCII', Buffer.from([0xe5, 0x8c, 0x61]), 0, 2],
    ['Latin-1', Buffer.from('café, Zoë', 'latin1'), 0, 2],
    ['half a surrogate pair', Buffer.from([0xed, 0xa0, 0x80]), 1, 0],
    ['bytes that begin nothing', Buffer.from([0x80, 0xc0, 0xc1, 0xf5, 0xff]), 0, 5],
  ])('tells sequences from stray bytes: %s', (_, bytes, sequenceCount, strayCount) => {
    for (const pieceBytes of [bytes.length, 1]) {
      expect(censusOf(bytes, pieceBytes)).toMatchObject({ sequenceCount, strayCount });
    }
  });

  it.each<[string, Buffer, boolean]>([
    ['one broken byte in UTF-8', Buffer.concat([Buffer.from('ééé'), Buffer.of(0xe9)]), true],
    ['a single accent in ASCII', Buffer.from('caf\xe9', 'latin1'), false],
    ['Latin-1 with one pair that looks like UTF-8', Buffer.from(`${'\xe9 '.repeat(20)}\xc3\xa9`, 'latin1'), false],
  ])('says what is mostly UTF-8: %s', (_, bytes, isMostly) => {
    expect(censusOf(bytes).isMostlyUtf8).toBe(isMostly);
  });

  it('knows the bytes that are no characters in Windows-1252', () => {
    for (let byte = 0x80; byte <= 0xff; byte += 1) {
      const isNone = [0x81, 0x8d, 0x8f, 0x90, 0x9d].includes(byte);
      expect([byte, censusOf(Buffer.of(byte)).isWindows1252]).toEqual([byte, !isNone]);
    }
  });
});
