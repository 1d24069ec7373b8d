import { describe, expect, it } from '@jest/globals';
import { encodingOfHead, headAsUtf8 } from './encoding-of-head.js';

const units = (text: string): Buffer => Buffer.from(text, 'utf16le');

describe('encodingOfHead', () => {
  it.each<[string, Buffer, ReturnType<typeof encodingOfHead>]>([
    ['the mark of UTF-8', Buffer.from('\ufeffa'), { encoding: 'utf-8', hasMark: true }],
    ['the mark of UTF-16', units('\ufeffa'), { encoding: 'utf-16le', hasMark: true }],
    ['the same the other way', units('\ufeffa').swap16(), { encoding: 'utf-16be', hasMark: true }],
    ['half of all bytes zero', units('a,b\n1,2\n'), { encoding: 'utf-16le', hasMark: false }],
    ['the others zero', units('a,b\n1,2\n').swap16(), { encoding: 'utf-16be', hasMark: false }],
    ['letters beyond ASCII', units('имя;город\n1;Уфа\n2;Тверь\n'), { encoding: 'utf-16le', hasMark: false }],
    ['a character cut off', units('a,b\n1,2\n').subarray(0, -1), { encoding: 'utf-16le', hasMark: false }],
    ['ASCII', Buffer.from('a,b\n1,2\n'), undefined],
    ['a NUL in ASCII', Buffer.from('a,b\n1,x\0y\n'), undefined],
    ['NULs alone', Buffer.alloc(8), undefined],
    ['small numbers in two bytes each', Buffer.from(Uint16Array.from([1, 2, 3, 4]).buffer), undefined],
    ['nothing', Buffer.alloc(0), undefined],
  ])('by %s', (_, head, found) => {
    expect(encodingOfHead(head)).toEqual(found);
  });

  it('gives the head as UTF-8, without a character that is cut off', () => {
    expect(headAsUtf8(units('aé𝄞').subarray(0, -1), 'utf-16le').toString()).toBe('aé');
    expect(headAsUtf8(Buffer.of(0x80), 'windows-1252').toString()).toBe('€');
    expect(headAsUtf8(Buffer.of(0x80), 'utf-8')).toEqual(Buffer.of(0x80));
  });
});
