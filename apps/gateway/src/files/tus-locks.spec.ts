import { describe, expect, it } from '@jest/globals';
import { TusLocks } from './tus-locks.js';

/** Somebody who wants an upload, and notes when it has it and when it is asked to let go. */
function visitor(locks: TusLocks, id = 'an upload') {
  const lock = locks.newLock(id);
  const aborted = new AbortController();
  const seen = { has: false, asked: 0 };
  const taken = lock.lock(aborted.signal, () => void (seen.asked += 1)).then(() => void (seen.has = true));
  return { seen, taken, abort: () => aborted.abort(new Error('gone')), leave: () => lock.unlock() };
}

describe('the lock of an upload', () => {
  it('is had by one at a time, who is asked to let go by the next', async () => {
    const locks = new TusLocks();
    const first = visitor(locks);
    await first.taken;
    const second = visitor(locks);
    const third = visitor(locks);
    expect(first.seen).toEqual({ has: true, asked: 2 });
    await first.leave();
    await second.taken;
    expect([second.seen, third.seen]).toEqual([
      { has: true, asked: 1 },
      { has: false, asked: 0 },
    ]);
    await second.leave();
    await third.taken;
    await third.leave();
    const fourth = visitor(locks);
    await fourth.taken;
    expect(third.seen.asked).toBe(0);
  });

  it('is of one upload', async () => {
    const locks = new TusLocks();
    const one = visitor(locks);
    await visitor(locks, 'another').taken;
    expect(one.seen.asked).toBe(0);
  });

  it('is not waited for by who has gone, nor by a crowd', async () => {
    const locks = new TusLocks();
    const first = visitor(locks);
    await first.taken;
    const gone = visitor(locks);
    gone.abort();
    await expect(gone.taken).rejects.toThrow('gone');
    const waiting = Array.from({ length: 8 }, () => visitor(locks));
    await expect(visitor(locks).taken).rejects.toMatchObject({ code: 'upload.locked', retryable: true });
    await first.leave();
    for (const { taken, leave } of waiting) {
      await taken;
      await leave();
    }
  });
});
