import { describe, expect, it } from '@jest/globals';
import { encodeFrame } from './encode-frame.js';
import { type Frame, FrameReader, HEAD_BYTES_MAX } from './frame-reader.js';

function read(bytes: Buffer, { chunkBytes = bytes.length, textBytesMax = 100 } = {}): Frame[] {
  const frames: Frame[] = [];
  const decodeHead = (head: Buffer): unknown => JSON.parse(head.toString());
  const reader = new FrameReader({ decodeHead, onFrame: (frame) => frames.push(frame) });
  reader.textBytesMax = textBytesMax;
  for (let at = 0; at < bytes.length; at += chunkBytes) reader.push(bytes.subarray(at, at + chunkBytes));
  return frames;
}

const frame = (head: unknown, text?: string): Buffer => encodeFrame(Buffer.from(JSON.stringify(head)), text);

const lengths = (head: number, text: number): Buffer => {
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32BE(head, 0);
  prefix.writeUInt32BE(text, 4);
  return prefix;
};

describe('FrameReader', () => {
  const three = Buffer.concat([frame({ a: 1 }), frame(null, 'é€😀'), frame([2], '')]);

  it.each([1, 2, 7, 9, 1_000])('reads messages from pieces of %i bytes', (chunkBytes) => {
    expect(read(three, { chunkBytes })).toEqual([
      { head: { a: 1 }, text: '' },
      { head: null, text: 'é€😀' },
      { head: [2], text: '' },
    ]);
  });

  it('waits for what is not there yet', () => {
    expect(read(three.subarray(0, three.length - 1))).toHaveLength(2);
    expect(read(lengths(HEAD_BYTES_MAX, 100))).toEqual([]);
  });

  it.each([
    ['no head', lengths(0, 0)],
    ['a head beyond the bound', lengths(HEAD_BYTES_MAX + 1, 0)],
    ['a text beyond the bound', lengths(1, 101)],
    ['a head that is no JSON', Buffer.concat([lengths(1, 0), Buffer.from('{')])],
    ['a line of something else', Buffer.from('{"cmd":"NODE_HANDLE_ACK"}\n')],
  ])('throws at %s', (_, bytes) => {
    expect(() => read(bytes)).toThrow(Error);
  });
});
