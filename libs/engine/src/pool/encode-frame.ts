import { FRAME_PREFIX_BYTES } from './frame-reader.js';

/** A message as `FrameReader` reads it. */
export function encodeFrame(head: Buffer, text = ''): Buffer {
  const textBytes = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(FRAME_PREFIX_BYTES + head.length + textBytes);
  frame.writeUInt32BE(head.length, 0);
  frame.writeUInt32BE(textBytes, 4);
  head.copy(frame, FRAME_PREFIX_BYTES);
  frame.write(text, FRAME_PREFIX_BYTES + head.length, 'utf8');
  return frame;
}
