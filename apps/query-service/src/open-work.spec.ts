import { describe, expect, it } from '@jest/globals';
import { OpenWork } from './open-work.js';

describe('the open work of a service', () => {
  it('is waited for, and what follows from it', async () => {
    const work = new OpenWork();
    const done: string[] = [];
    const answer = work.run(async () => {
      await pause(20);
      work.follow(async () => {
        await pause(20);
        done.push('follow-up');
      });
      return 'answer';
    });
    await work.close({ drainMs: 5_000 });
    expect(done).toEqual(['follow-up']);
    expect(await answer).toBe('answer');
    expect(work.signal.aborted).toBe(true);
  });

  it('is not taken any more once the service closes', async () => {
    const work = new OpenWork();
    await work.close({ drainMs: 0 });
    await expect(work.run(async () => 1)).rejects.toMatchObject({ code: 'service.unavailable' });
  });

  it('is aborted when it does not end', async () => {
    const work = new OpenWork();
    const endless = work.run(
      () =>
        new Promise((_, reject) => {
          work.signal.addEventListener('abort', () => reject(work.signal.reason as Error));
        }),
    );
    const closed = work.close({ drainMs: 10 });
    await expect(endless).rejects.toMatchObject({ code: 'service.unavailable' });
    await closed;
  });

  it('may fail without a trace', async () => {
    const work = new OpenWork();
    await expect(work.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await work.close({ drainMs: 1_000 });
  });
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
