import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { type ChannelBreach, ChildChannel } from './child-channel.js';
import { encodeFrame } from './encode-frame.js';

const MESSAGES = 3_000;

describe('ChildChannel', () => {
  /** A child that tells its progress so often; each time somebody listens anew, or only once. */
  async function breachesOf(listensEachTime: boolean): Promise<ChannelBreach[]> {
    const stream = new PassThrough();
    const breaches: ChannelBreach[] = [];
    const channel = new ChildChannel(stream, (breach) => breaches.push(breach));
    let heard = 0;
    const listen = (): void => channel.listen(onMessage, 0);
    const onMessage = (): void => {
      heard += 1;
      if (listensEachTime) listen();
    };
    listen();
    const frame = encodeFrame(Buffer.from(JSON.stringify({ type: 'progress', progress: 0 })));
    stream.end(Buffer.concat(Array.from({ length: MESSAGES }, () => frame)));
    await new Promise((resolve) => stream.once('close', resolve));
    expect(heard === MESSAGES).toBe(listensEachTime);
    return breaches;
  }

  it('takes a flood of one task for a breach', async () => {
    expect(await breachesOf(false)).toEqual(['flood']);
  });

  it('takes many tasks in a short time for what they are', async () => {
    expect(await breachesOf(true)).toEqual([]);
  });
});
